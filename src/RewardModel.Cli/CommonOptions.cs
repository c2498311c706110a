using System.CommandLine;
using System.CommandLine.Parsing;
using RewardModel.Reading;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary>Options that several sub-commands have, each made in one place.</summary>
internal static class CommonOptions
{
    public const int DefaultMaxTokensPerBatch = 8192;

    public static Option<string> Model() => new("--model", "-m")
    {
        Description = "Directory of a reward model.",
        Required = true,
        HelpName = "DIR",
    };

    public static Option<string?> BaseModel() => Value<string?>(
        "--base-model", "DIR", "Directory of the base model, where the model is an adapter. Default: what its adapter_config.json says.");

    public static Option<string?> OutputWeights() => Value<string?>(
        "--output-weights", "X,X|NAME=X,...",
        "What each output of a head with several counts in a reward, in their order or by their names. Default: reward_output_weights of config.json.");

    /// <summary>Those of the option; null where it is not given.</summary>
    public static Checkpoints.OutputWeights? WeightsOfOutputs(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is not { } text ? null
        : Checkpoints.OutputWeights.TryParse(text, out var weights) ? weights
        : throw new UsageException($"{option.Name} is '{text}'; expected {Checkpoints.OutputWeights.Forms}.");

    /// <summary>The numbers of an option that has several, with commas between them; null where it is not given.</summary>
    public static double[]? Numbers(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is not { } text ? null
        : OptionText.Numbers(text)
            ?? throw new UsageException($"{option.Name} is '{text}'; expected numbers with commas between them, such as 0.7,0.3.");

    /// <summary>One model, or several whose rewards are averaged.</summary>
    public static Option<string[]> Models() => new("--model", "-m")
    {
        Description = "Directory of a reward model. Given more than once, or for a directory of seed-* models, rewards are the means of all.",
        Required = true,
        HelpName = "DIR",
    };

    public static Option<BadData> OnBadData() => Choice<BadData>(
        "--on-bad-data", "How to handle invalid lines of the data: report them all and stop, or report and skip them.");

    public static Option<int> MaxTokensPerBatch() => Value(
        "--max-tokens-per-batch", "N",
        "Maximum number of tokens in a batch, a shared prompt counted once. Bounds memory and changes nothing but rounding.",
        DefaultMaxTokensPerBatch);

    public static Option<bool> BatchInvariant() => new("--batch-invariant")
    {
        Description = "Rewards are the same to the bit whatever else is scored with them. Causal models on the CPU; somewhat slower.",
    };

    public static Option<string> Device() => Value("--device", "cpu|cuda|cuda:N", "Device to compute on.", "cpu");

    public static Option<int?> Threads() => Value<int?>(
        "--threads", "N", "Number of threads for computation and tokenisation. Default: one per core.");

    public static Option<WeightStorage> FrozenWeights(string description) => Choice<WeightStorage>("--frozen-weights", description);

    public static Option<bool> Json(string description) => new("--json") { Description = description };

    public static Option<bool> Raw() => new("--raw")
    {
        Description = "Read plain text as it is, without the chat template, also where the model was trained on conversations.",
    };

    /// <summary>Refuses a file to write in a directory that is not there: before the work whose result it would have.</summary>
    /// <param name="option">The option's name.</param>
    /// <param name="file">Its value.</param>
    public static void CheckFolder(string option, string? file)
    {
        if (file is not null && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
            throw new UsageException($"{option} is '{file}': there is no directory '{folder}'. Create it, or give another path.");
    }

    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "No progress and no information, only warnings and results." };

    public static Option<bool> Verbose() => new("--verbose", "-v") { Description = "Also details that help to diagnose problems." };

    /// <summary>An option that may be left out; <paramref name="helpName"/> stands for its value in the help.</summary>
    public static Option<T> Value<T>(string name, string helpName, string description) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = Parse<T>,
    };

    /// <summary>The same option, under another name, too.</summary>
    public static Option<T> Or<T>(this Option<T> option, string alias)
    {
        option.Aliases.Add(alias);
        return option;
    }

    /// <summary>An option with a default, which the help shows.</summary>
    public static Option<T> Value<T>(string name, string helpName, string description, T defaultValue) where T : notnull => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = Parse<T>,
        DefaultValueFactory = _ => defaultValue,
    };

    /// <summary>An option whose values are those of an enum, written like-this; its default is the enum's first.</summary>
    public static Option<T> Choice<T>(string name, string description) where T : struct, Enum
    {
        var names = OptionText.Names(typeof(T)).ToArray();
        return new Option<T>(name)
        {
            Description = $"{description} [default: {names[0]}]",
            HelpName = string.Join('|', names),
            CustomParser = Parse<T>,
        };
    }

    private static T? Parse<T>(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        var (isValid, value) = OptionText.Parse(text, typeof(T));
        if (isValid)
            return (T?)value;
        var name = (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
        result.AddError($"{name} is '{text}'; expected {OptionText.Expected(typeof(T))}.");
        return default;
    }
}
