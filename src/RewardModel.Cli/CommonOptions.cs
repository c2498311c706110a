using System.CommandLine;
using System.Text.Json;
using RewardModel.Reading;

namespace RewardModel.Cli;

/// <summary>Options that several sub-commands have, each made in one place.</summary>
internal static class CommonOptions
{
    public const int DefaultMaxTokensPerBatch = 8192;

    public static Option<FileInfo> Data(string description, bool required = true) => new("--data")
    {
        Description = $"{description} JSON lines, plain or .gz.",
        Required = required,
        HelpName = "FILE",
    };

    public static Option<DirectoryInfo> Model() => new("--model")
    {
        Description = "Directory of a reward model.",
        Required = true,
        HelpName = "DIR",
    };

    public static Option<BadData> OnBadData() => Choice<BadData>(
        "--on-bad-data", "What to do when lines of the data can't be used: list them all and stop, or list and leave them out.");

    public static Option<int> MaxTokensPerBatch() => Value<int>(
        "--max-tokens-per-batch", "N",
        "Most tokens that are computed at once, a shared prompt counted once. Bounds memory; without dropout it changes no result.",
        DefaultMaxTokensPerBatch);

    public static Option<string> Device() => Value<string>("--device", "cpu|cuda|cuda:N", "Device of the computation.", "cpu");

    public static Option<int?> Threads() => Value<int?>(
        "--threads", "N", "Threads of the computation and of the tokenizer. Default: one per core.");

    public static Option<bool> Json(string description) => new("--json") { Description = description };

    /// <summary>An option that may be left out; <paramref name="helpName"/> stands for its value in the help.</summary>
    public static Option<T> Value<T>(string name, string helpName, string description) => new(name)
    {
        Description = description,
        HelpName = helpName,
    };

    /// <summary>An option with a default, which the help shows.</summary>
    public static Option<T> Value<T>(string name, string helpName, string description, T defaultValue) => new(name)
    {
        Description = description,
        HelpName = helpName,
        DefaultValueFactory = _ => defaultValue,
    };

    /// <summary>An option whose values are those of an enum, written like-this; its default is the enum's first.</summary>
    public static Option<T> Choice<T>(string name, string description) where T : struct, Enum
    {
        var values = Enum.GetValues<T>().ToDictionary(value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()));
        return new Option<T>(name)
        {
            Description = $"{description} [default: {values.Keys.First()}]",
            HelpName = string.Join('|', values.Keys),
            CustomParser = result =>
            {
                var text = result.Tokens.Single().Value;
                if (!values.TryGetValue(text, out var value))
                    result.AddError($"{name} is '{text}'; expected one of: {string.Join(", ", values.Keys)}.");
                return value;
            },
        };
    }
}
