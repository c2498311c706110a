using System.CommandLine;
using RewardModel.Training.Data;

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

    public static Option<BadData> OnBadData() => new("--on-bad-data")
    {
        Description = "What to do when lines of the data can't be used: list them all and stop, or list and leave them out.",
        HelpName = "error|skip",
        DefaultValueFactory = _ => BadData.Error,
    };

    public static Option<int> MaxTokensPerBatch() => new("--max-tokens-per-batch")
    {
        Description = "Most tokens that are computed at once, a shared prompt counted once. Bounds memory; changes no result.",
        HelpName = "N",
        DefaultValueFactory = _ => DefaultMaxTokensPerBatch,
    };

    public static Option<int?> Threads() => new("--threads")
    {
        Description = "Threads of the computation. Default: one per core.",
        HelpName = "N",
    };

    public static Option<bool> Json(string description) => new("--json") { Description = description };
}
