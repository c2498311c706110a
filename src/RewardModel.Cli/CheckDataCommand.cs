using System.CommandLine;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;

namespace RewardModel.Cli;

/// <summary><c>reward-model check-data</c>: what is wrong with data, and what a lazy model gets on them.</summary>
internal static class CheckDataCommand
{
    /// <summary>Findings that were asked for were found.</summary>
    private const int found = 1;

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var data = new DataOptions("Ranked lists to check.", areGrouped: true);
        var evaluationData = new Option<string[]>("--eval-data")
        {
            Description = "Ranked lists to evaluate on, given and read as --data. May be given several times.",
            HelpName = "PATH",
        };
        var fraction = CommonOptions.Value<double?>(
            "--eval-fraction", "X", "Fraction of the prompts that training will hold out. Default 0.1, without --eval-data.");
        var seed = CommonOptions.Value("--split-seed", "N", "Seed of the choice of held-out prompts.", 0L);
        var splitBy = CommonOptions.Choice<SplitBy>(
            "--split-by", "What is held out as a whole: prompts, groups of --group-by, or prompts that are nearly the same.");
        var backbone = CommonOptions.Value<string?>(
            "--backbone", "DIR",
            "Checkpoint to be trained: lists are also checked as its tokenizer and its template give them. Default: only the texts are.");
        var maxLength = CommonOptions.Value<int?>(
            "--max-length", "N", "Maximum number of tokens of prompt and answer together. Default: what the checkpoint takes.");
        var failOn = CommonOptions.Value<string?>(
            "--fail-on", "NAMES",
            "Findings that end the command with status 1: ids such as leak,contradictions, or severities: error, warning (errors too), note (all). "
            + "Default: none.");
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json("Print the report as one JSON object.");
        var command = new Command("check-data", "Checks ranked lists before training: duplicates, leaks, contradictions, damage, lazy baselines.");
        data.AddTo(command);
        foreach (var option in (Option[])[evaluationData, fraction, seed, splitBy, backbone, maxLength, failOn, threads, json])
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(evaluationData) is not null && result.GetResult(fraction) is not null)
                result.AddError("Give --eval-data or --eval-fraction, not both.");
            if (result.GetValue(fraction) is { } value && !(value >= 0 && value < 1))
                result.AddError($"--eval-fraction is {value}; expected a number from 0 (no evaluation) to below 1.");
            if (result.GetResult(maxLength) is not null && result.GetResult(backbone) is null)
                result.AddError("--max-length has no effect without --backbone, whose tokenizer counts tokens.");
            if (result.GetValue(threads) is < 1)
                result.AddError($"--threads is {result.GetValue(threads)}; expected at least 1.");
            if (result.GetValue(splitBy) == SplitBy.Group && result.GetResult("--group-by") is null)
                result.AddError("--split-by group has no effect without --group-by.");
        });
        command.SetAction(parsed =>
        {
            var names = parsed.GetValue(failOn)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
            try
            {
                FindingId.Check(names);
            }
            catch (ArgumentException e)
            {
                throw new UsageException(e.Message);
            }
            if (parsed.GetValue(backbone) is not null)
                Threads.Set(parsed.GetValue(threads));
            using var model = parsed.GetValue(backbone) is { } directory
                ? ScoringModel.ShapesForTraining(directory, tokenizer: null, parsed.GetValue(maxLength), encoding: null, frozenWeights: null)
                : null;
            var report = new DataCheckRun(new LineLogger(errors.WriteLine))
            {
                Model = model,
                MaxThreads = parsed.GetValue(threads) ?? Environment.ProcessorCount,
                EvaluationFraction = parsed.GetValue(fraction) ?? 0.1,
                SplitSeed = (ulong)parsed.GetValue(seed),
                SplitBy = parsed.GetValue(splitBy),
            }.Check(data.Of(parsed)!, parsed.GetValue(evaluationData) is { Length: > 0 } paths ? data.Of(parsed, new DataPaths(paths)) : null);
            output.WriteLine(parsed.GetValue(json) ? report.ToJson() : report.ToText());
            return report.FailsOn(names) ? found : 0;
        });
        return command;
    }
}
