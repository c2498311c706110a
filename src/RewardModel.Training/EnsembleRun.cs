using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Files;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Training;

/// <summary>
/// Trainings that differ in their seed, one after the other: an ensemble for <c>RewardEnsemble</c>, or the spread of a recipe. New heads, the
/// order of the lists and dropout are each seed's own; the held-out prompts are the same for all.
/// </summary>
/// <remarks>
/// The training of seed S is an ordinary run in the directory <c>seed-S</c> of the output; <c>training/run.yaml</c> there has the options of
/// all, and <c>training/seeds.json</c> the mean and standard deviation of the metrics. One model at a time is in memory. Interrupted, all of
/// it is resumed: trainings that have ended stay as they are.
/// </remarks>
/// <example>
/// <code>
/// var run = new EnsembleRun(new TrainingRunOptions { Data = "train.jsonl", Backbone = "sft-model", Output = "ensemble", Seeds = 4 });
/// var accuracy = run.Run().Metrics["accuracy"];
/// Console.WriteLine($"held-out accuracy {accuracy.Mean:P1} +- {accuracy.StandardDeviation:P1}");
/// </code>
/// </example>
public sealed class EnsembleRun
{
    private const string summaryFile = "seeds.json";

    private static readonly JsonSerializerOptions jsonOptions = new(ReportJson.Options) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly TrainingRunOptions options;
    private readonly ILogger logger;
    private readonly TrainingInputs? inputs;

    /// <summary>Prepares the trainings; nothing is read or written yet.</summary>
    /// <param name="options">The options of all, with <see cref="TrainingRunOptions.Seeds"/>.</param>
    /// <param name="logger">As for a single run.</param>
    /// <param name="inputs">As for a single run; the lists are read once for each seed.</param>
    /// <exception cref="ArgumentException">Options are invalid, or files are missing: all are listed.</exception>
    public EnsembleRun(TrainingRunOptions options, ILogger? logger = null, TrainingInputs? inputs = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Seeds is null)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.Seeds))} is not set; expected at least 2. TrainingRun does a single training.");
        this.options = options;
        this.inputs = inputs;
        this.logger = logger ?? NullLogger.Instance;
    }

    /// <inheritdoc cref="TrainingRun.Command"/>
    internal string? Command { get; init; }

    /// <summary>Trains with each seed, and writes the models and their summary.</summary>
    /// <param name="progress">Receives the reports of all trainings, one training after the other.</param>
    /// <param name="cancellation">When cancelled, the state is saved after the current step, and the call ends.</param>
    /// <exception cref="RunDirectoryException">The output directory is in use, not empty, or holds other trainings.</exception>
    /// <inheritdoc cref="TrainingRun.Run" path="/exception[not(contains(@cref, 'RunDirectory'))]"/>
    public EnsembleResult Run(IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        var directory = new RunDirectory(options.Output);
        CheckOutput(directory);
        using var directoryLock = directory.Lock();
        TrainingRunOptions[] members = [.. Enumerable.Range(0, options.Seeds!.Value).Select(Member)];
        var results = new List<TrainingResult>();
        foreach (var member in members)
        {
            cancellation.ThrowIfCancellationRequested();
            logger.LogInformation("Seed {Seed}, {Number} of {Count}: {Output}", member.Seed, results.Count + 1, members.Length, member.Output);
            var run = new TrainingRun(member, logger, inputs)
            {
                Command = Command,
                // A resumption that is refused leaves the options of the trainings.
                Started = () => RunFile<TrainingRunOptions>.Write(directory.OptionsFile, options),
            };
            results.Add(run.Run(progress, cancellation));
        }
        var result = new EnsembleResult(
            [.. members.Select(member => member.Seed)], [.. members.Select(member => member.Output)], results);
        PendingFile.WriteText(
            Path.Combine(options.Output, RunDirectory.FolderName, summaryFile),
            JsonSerializer.Serialize(new Summary(result.Seeds, result.Metrics), jsonOptions) + "\n");
        return result;
    }

    /// <summary>A dry run of the first training: the others are like it.</summary>
    /// <inheritdoc cref="TrainingRun.Plan"/>
    public TrainingPlan Plan(IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        CheckOutput(new RunDirectory(options.Output));
        return new TrainingRun(Member(0), logger, inputs).Plan(progress, cancellation);
    }

    private TrainingRunOptions Member(int index) => options with
    {
        Seeds = null,
        Seed = options.Seed + index,
        SplitSeed = options.SplitsData ? options.SplitSeed ?? options.Seed : null,
        Output = Path.Combine(options.Output, $"seed-{options.Seed + index}"),
    };

    private void CheckOutput(RunDirectory directory)
    {
        if (!File.Exists(directory.OptionsFile))
            directory.CheckOutput(resumes: false);
        else if (TrainingRun.OptionsOf(options.Output).Seeds is null)
            throw new RunDirectoryException($"'{options.Output}' holds a training with one seed. Give another --output.");
        else if (!options.Resume)
            throw new RunDirectoryException(
                $"'{options.Output}' already holds trainings with several seeds. Add --resume to continue them, or give another --output.");
    }

    private sealed record Summary(IReadOnlyList<long> Seeds, IReadOnlyDictionary<string, SeedStatistics> Metrics);
}
