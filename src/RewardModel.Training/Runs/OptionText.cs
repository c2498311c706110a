using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Reading;

namespace RewardModel.Training.Runs;

/// <summary>Values of options as people write them, on the command line and in run files: the same everywhere, whatever the locale.</summary>
internal static class OptionText
{
    // Other names under which everybody knows a value.
    private static readonly Dictionary<string, string> aliases = new()
    {
        ["bf16"] = "bfloat16",
        ["fp32"] = "float32",
        // As PEFT spells it.
        ["lora_only"] = "lora-only",
    };

    /// <summary>The value of a text.</summary>
    /// <returns>Whether it was understood, and as what.</returns>
    public static (bool IsValid, object? Value) Parse(string text, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var culture = CultureInfo.InvariantCulture;
        object? value = true switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(DataPaths) => new DataPaths(text),
            _ when type == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var number) ? number : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out var number) ? number : null,
            // Without thousands: in many countries 0,5 is a half.
            _ when type == typeof(double) => double.TryParse(text, NumberStyles.Float, culture, out var number) && double.IsFinite(number) ? number : null,
            _ when type.IsEnum => EnumOf(aliases.GetValueOrDefault(text, text), type),
            _ => throw new NotSupportedException($"Options of type {type} are not supported."),
        };
        return (value is not null, value);
    }

    /// <summary>The numbers of a text with commas between them; null where one of them is none.</summary>
    public static double[]? Numbers(string text)
    {
        var numbers = text.Split(',').Select(number => Parse(number.Trim(), typeof(double))).ToArray();
        return numbers.All(number => number.IsValid) ? [.. numbers.Select(number => (double)number.Value!)] : null;
    }

    /// <summary>What a text that is not understood should have been.</summary>
    public static string Expected(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(bool) ? "true or false"
            : type == typeof(int) || type == typeof(long) ? "a whole number"
            : type == typeof(double) ? "a number such as 0.1 or 1e-5"
            : type.IsEnum ? $"one of: {string.Join(", ", Names(type))}"
            : "text";
    }

    /// <summary>The values of an enum as they are written.</summary>
    public static IEnumerable<string> Names(Type type) => Enum.GetNames(type).Select(name => NameOf(type, name));

    /// <summary>A value of an enum as it is written.</summary>
    public static string NameOf<T>(T value) where T : struct, Enum => NameOf(typeof(T), $"{value}");

    // As the JSON of run files has it.
    private static string NameOf(Type type, string name) =>
        type.GetField(name)!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(name);

    private static object? EnumOf(string text, Type type) =>
        Enum.GetNames(type).FirstOrDefault(name => NameOf(type, name) == text) is { } found
            ? Enum.Parse(type, found)
            : null;
}
