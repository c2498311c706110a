using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Files;

namespace RewardModel.Checkpoints;

/// <summary>
/// Reads the settings of a <c>config.json</c> one by one and remembers everything that is wrong, so that <see cref="Finish"/> can
/// say it all at once. A setting that nobody asked for is a problem too: a setting ignored in silence gives wrong rewards in silence.
/// </summary>
/// <remarks>
/// The value null counts as absent, as in transformers, except for <see cref="IntOrNull"/> and <see cref="DoubleOrNull(string, double)"/>. After a
/// problem a getter returns an arbitrary value of its type, so a configuration may be used only after <see cref="Finish"/>.
/// </remarks>
internal sealed class ConfigReader
{
    private readonly JsonObject json;
    private readonly string path;
    private readonly string prefix;
    private readonly ProblemList problems;
    private readonly HashSet<string> askedFor = [];
    private readonly List<ConfigReader> nested = [];

    /// <param name="json">The settings.</param>
    /// <param name="path">Where they come from, for messages.</param>
    public ConfigReader(JsonObject json, string path)
        : this(json, path, prefix: "", new ProblemList())
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(path);
    }

    private ConfigReader(JsonObject json, string path, string prefix, ProblemList problems)
    {
        this.json = json;
        this.path = path;
        this.prefix = prefix;
        this.problems = problems;
    }

    /// <summary>Whether the setting is there and not null. Does not count as asking for it.</summary>
    public bool Has(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return json[key] is not null;
    }

    /// <summary>A required whole number.</summary>
    public int Int(string key) => Required(key, AsInt, "a 32-bit whole number");

    /// <summary>A whole number, or <paramref name="absent"/> where there is none.</summary>
    public int Int(string key, int absent) => OptionalInt(key) ?? absent;

    /// <summary>A whole number above 0, such as a width. After a problem, one of those that are expected.</summary>
    /// <param name="key">The setting.</param>
    /// <param name="absent">What it is where there is none; null: it is required.</param>
    /// <param name="most">The largest that is taken.</param>
    public int Size(string key, int? absent = null, int most = ConfigLimits.Width)
    {
        var size = absent is { } value ? Int(key, value) : Int(key);
        if (size < 1)
            WrongNumber(key, "at least 1");
        else if (size > most)
            WrongNumber(key, $"at most {most}");
        return Math.Clamp(size, 1, most);
    }

    /// <summary>A whole number within limits, or <paramref name="absent"/> where there is none. After a problem, one within them.</summary>
    public int Int(string key, int absent, int least, int most)
    {
        var number = Int(key, absent);
        if (number < least || number > most)
            WrongNumber(key, $"a whole number from {least} to {most}");
        return Math.Clamp(number, least, most);
    }

    /// <summary>A whole number, or null where there is none.</summary>
    public int? OptionalInt(string key) => Optional(key, AsInt, "a 32-bit whole number");

    /// <summary>
    /// A whole number; null where the file says null; <paramref name="absent"/> where it says nothing. For settings whose default is a
    /// number and whose null switches something off.
    /// </summary>
    public int? IntOrNull(string key, int absent) => OptionalInt(key) ?? (json.ContainsKey(key) ? null : absent);

    /// <summary>A required number.</summary>
    public double Double(string key) => Required(key, AsDouble, "a number");

    /// <summary>A number, or <paramref name="absent"/> where there is none.</summary>
    public double Double(string key, double absent) => OptionalDouble(key) ?? absent;

    /// <summary>A number, or null where there is none.</summary>
    public double? OptionalDouble(string key) => Optional(key, AsDouble, "a number");

    /// <summary>A number within limits. After a problem, one within them.</summary>
    /// <param name="key">The setting.</param>
    /// <param name="limits">The smallest and the largest that are taken.</param>
    /// <param name="absent">What it is where there is none; null: it is required.</param>
    public double Double(string key, (double Least, double Most) limits, double? absent = null) =>
        Within(key, limits, absent is { } value ? Double(key, value) : Double(key));

    /// <summary>A number within limits, or null where there is none.</summary>
    public double? OptionalDouble(string key, (double Least, double Most) limits) =>
        OptionalDouble(key) is { } number ? Within(key, limits, number) : null;

    /// <summary>A required truth value.</summary>
    public bool Bool(string key) => Required(key, AsBool, "true or false");

    /// <summary>The same as <see cref="IntOrNull"/> for any number.</summary>
    public double? DoubleOrNull(string key, double absent) => OptionalDouble(key) ?? (json.ContainsKey(key) ? null : absent);

    /// <summary>The same of a number within limits.</summary>
    public double? DoubleOrNull(string key, double absent, (double Least, double Most) limits) =>
        DoubleOrNull(key, absent) is { } number ? Within(key, limits, number) : null;

    /// <summary>A truth value, or <paramref name="absent"/> where there is none.</summary>
    public bool Bool(string key, bool absent) => Optional(key, AsBool, "true or false") ?? absent;

    /// <summary>A required string.</summary>
    public string Text(string key) => OptionalText(key, "a string") ?? Missing(key, "a string", "");

    /// <summary>A string, or <paramref name="absent"/> where there is none.</summary>
    public string Text(string key, string absent)
    {
        ArgumentNullException.ThrowIfNull(absent);
        return OptionalText(key, "a string") ?? absent;
    }

    /// <summary>A required string, one of those that are supported.</summary>
    public string OneOf(string key, IReadOnlyList<string> supported)
    {
        ArgumentNullException.ThrowIfNull(supported);
        var expected = OneOfText(supported);
        return Supported(key, OptionalText(key, expected) ?? Missing(key, expected, supported[0]), supported);
    }

    /// <summary>A string, one of those that are supported, or <paramref name="absent"/> where there is none.</summary>
    public string OneOf(string key, IReadOnlyList<string> supported, string absent)
    {
        ArgumentNullException.ThrowIfNull(supported);
        ArgumentNullException.ThrowIfNull(absent);
        return Supported(key, OptionalText(key, OneOfText(supported)) ?? absent, supported);
    }

    /// <summary>A list of strings, or null where there is none.</summary>
    /// <param name="key">The setting.</param>
    /// <param name="separator">What stands between the strings where the setting is one string; null where it must be a list.</param>
    public IReadOnlyList<string>? OptionalStrings(string key, char? separator = null)
    {
        if (Value(key) is not { } value)
            return null;
        if (separator is not null && value.GetValueKind() == JsonValueKind.String)
            return value.GetValue<string>().Split(separator.Value, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (value is JsonArray array && array.All(item => item?.GetValueKind() == JsonValueKind.String))
            return [.. array.Select(item => item!.GetValue<string>())];
        Wrong(key, value, "a list of strings");
        return null;
    }

    /// <summary>A list of whole numbers, or null where there is none.</summary>
    public IReadOnlyList<int>? OptionalInts(string key)
    {
        if (Value(key) is not { } value)
            return null;
        if (value is JsonArray array && array.All(item => item is not null && AsInt(item) is not null))
            return [.. array.Select(item => AsInt(item!)!.Value)];
        Wrong(key, value, "a list of 32-bit whole numbers");
        return null;
    }

    /// <summary>A required list of numbers.</summary>
    public IReadOnlyList<double> Doubles(string key)
    {
        const string expected = "a list of numbers";
        if (Value(key) is not { } value)
            return Missing<double[]>(key, expected, []);
        if (value is JsonArray array && array.All(item => item is not null && AsDouble(item) is not null))
            return [.. array.Select(item => AsDouble(item!)!.Value)];
        Wrong(key, value, expected);
        return [];
    }

    /// <summary>
    /// A reader for a setting that is an object itself, or null where there is none. The outer reader's <see cref="Finish"/> covers it.
    /// </summary>
    public ConfigReader? OptionalObject(string key)
    {
        if (Value(key) is not { } value)
            return null;
        if (value is JsonObject settings)
        {
            var reader = new ConfigReader(settings, path, $"{prefix}{key}.", problems);
            nested.Add(reader);
            return reader;
        }
        Wrong(key, value, "an object");
        return null;
    }

    /// <summary>A truth value of which only one is supported; it may be absent.</summary>
    public void MustBe(string key, bool supported)
    {
        if (Value(key) is { } value && AsBool(value) != supported)
            Wrong(key, value, supported ? "true" : "false");
    }

    /// <summary>A number of which only one is supported; it may be absent.</summary>
    public void MustBe(string key, int supported)
    {
        if (Value(key) is { } value && AsDouble(value) != supported)
            Wrong(key, value, $"{supported}");
    }

    /// <summary>Settings that don't change the rewards of this architecture, whatever their values.</summary>
    public void Ignore(params IEnumerable<string> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        askedFor.UnionWith(keys);
    }

    /// <summary>Adds a problem that the caller found, such as two settings that don't go together.</summary>
    /// <param name="problem">What was found and what was expected, as one sentence without a full stop.</param>
    public void Problem(string problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        problems.Add(problem);
    }

    /// <summary>Ends the reading.</summary>
    /// <exception cref="CheckpointException">Settings that are missing, wrong or unknown, all of them.</exception>
    public void Finish()
    {
        AddUnknownKeys();
        problems.ThrowIfAny(path, "Correct these settings; remove an unknown one only if the model computes the same without it.");
    }

    private void AddUnknownKeys()
    {
        // null is what transformers writes for "not set".
        foreach (var (key, value) in json)
            if (value is not null && !askedFor.Contains(key) && !(prefix.Length == 0 && IrrelevantSettings.Contains(key, value)))
                problems.Add($"{Name(key)} is {Quoted.Json(value)}; expected "
                    + ((prefix.Length == 0 ? IrrelevantSettings.Expected(key) : null)
                        ?? "no such setting: this library does not know what it does"));
        nested.ForEach(reader => reader.AddUnknownKeys());
    }

    private JsonNode? Value(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        askedFor.Add(key);
        return json[key];
    }

    private double Within(string key, (double Least, double Most) limits, double number)
    {
        if (!(number >= limits.Least && number <= limits.Most))
            WrongNumber(key, FormattableString.Invariant($"a number from {limits.Least} to {limits.Most}"));
        return Math.Clamp(number, limits.Least, limits.Most);
    }

    private void WrongNumber(string key, string expected)
    {
        // One that is missing, or of another type, has been reported already.
        if (json[key] is { } value && AsDouble(value) is not null)
            Wrong(key, value, expected);
    }

    private T? Optional<T>(string key, Func<JsonNode, T?> read, string expected)
        where T : struct
    {
        if (Value(key) is not { } value)
            return null;
        if (read(value) is { } result)
            return result;
        Wrong(key, value, expected);
        return default(T);
    }

    private T Required<T>(string key, Func<JsonNode, T?> read, string expected)
        where T : struct => Optional(key, read, expected) ?? Missing(key, expected, default(T));

    private string? OptionalText(string key, string expected)
    {
        if (Value(key) is not { } value)
            return null;
        if (value.GetValueKind() == JsonValueKind.String)
            return value.GetValue<string>();
        Wrong(key, value, expected);
        return "";
    }

    private string Supported(string key, string found, IReadOnlyList<string> supported)
    {
        // A value of another type has been reported already.
        if (json[key]?.GetValueKind() == JsonValueKind.String && !supported.Contains(found))
            Wrong(key, json[key], OneOfText(supported));
        return found;
    }

    private T Missing<T>(string key, string expected, T instead)
    {
        problems.Add($"{Name(key)} is {(json.ContainsKey(key) ? "null" : "missing")}; expected {expected}");
        return instead;
    }

    private void Wrong(string key, JsonNode? value, string expected) =>
        problems.Add($"{Name(key)} is {Quoted.Json(value)}; expected {expected}");

    private string Name(string key) => Quoted.Text(prefix + key);

    private static string OneOfText(IReadOnlyList<string> supported) =>
        supported.Count == 1 ? $"\"{supported[0]}\"" : $"one of \"{string.Join("\", \"", supported)}\"";

    // Read from the JSON text: a node made in code holds one .NET type only, one from a file any that fits.
    private static int? AsInt(JsonNode value) =>
        value.GetValueKind() == JsonValueKind.Number
        && int.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static double? AsDouble(JsonNode value) =>
        value.GetValueKind() == JsonValueKind.Number
        && double.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    private static bool? AsBool(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
