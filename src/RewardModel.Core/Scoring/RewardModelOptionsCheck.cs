using Microsoft.Extensions.Options;

namespace RewardModel.Scoring;

/// <summary>What is wrong with the options of a model, before it is loaded.</summary>
internal sealed class RewardModelOptionsCheck : IValidateOptions<RewardModelOptions>
{
    public ValidateOptionsResult Validate(string? name, RewardModelOptions options)
    {
        string[] problems =
        [
            .. DirectoryProblem(options.Directory),
            .. options.BaseDirectory is null || Directory.Exists(options.BaseDirectory)
                ? (string[])[]
                : [$"BaseDirectory is '{options.BaseDirectory}', which does not exist; expected the directory of an adapter's base model."],
            .. DeviceProblem(options.Device),
            .. options.MaxTokensPerBatch >= 1
                ? (string[])[] : [$"{nameof(options.MaxTokensPerBatch)} is {options.MaxTokensPerBatch}; expected at least 1."],
            .. options.PromptCacheBytes >= 0
                ? (string[])[] : [$"{nameof(options.PromptCacheBytes)} is {options.PromptCacheBytes}; expected 0 (no cache) or more."],
        ];
        return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static string[] DirectoryProblem(string? directory) =>
        string.IsNullOrEmpty(directory) ? ["Directory is not set; expected the directory of a trained reward model."]
        : Directory.Exists(directory) ? []
        : [$"Directory is '{directory}', which does not exist; expected the directory of a trained reward model."];

    private static string[] DeviceProblem(string? device)
    {
        if (device is null)
            return [];
        try
        {
            Devices.Named(device, nameof(RewardModelOptions.Device));
            return [];
        }
        catch (ArgumentException e)
        {
            return [e.Message];
        }
    }
}
