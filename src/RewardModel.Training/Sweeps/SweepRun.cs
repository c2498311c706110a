using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Files;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Training.Sweeps;

/// <summary>
/// Trains with several sets of options, one after the other, into directories <c>trial-N</c> of the output: a search over options. All trials
/// are evaluated on the same lists. What was found stands in <c>sweep.json</c>.
/// </summary>
public sealed class SweepRun
{
    private const string summaryFile = "sweep.json";

    private static readonly JsonSerializerOptions jsonOptions = new(ReportJson.Options) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly string output;
    private readonly bool resumes;
    private readonly ILogger logger;
    private readonly TrainingInputs? inputs;
    private readonly TrainingRunOptions[] runs;
    private readonly IReadOnlyList<IReadOnlyDictionary<string, string>> values;

    /// <summary>Prepares a sweep: reads its plan, and checks the options of all trials.</summary>
    /// <param name="plan">A YAML file, as docs/sweeps.md describes it.</param>
    /// <param name="output">Directory for the trials.</param>
    /// <param name="resume">Whether a sweep that was interrupted goes on.</param>
    /// <param name="logger">As for a single run.</param>
    /// <param name="inputs">As for a single run; the lists are read once for each trial.</param>
    /// <exception cref="RunFileException">The plan is invalid: all reasons are listed.</exception>
    /// <exception cref="OptionsException">The options of a trial are invalid.</exception>
    /// <exception cref="IOException">The plan can't be read.</exception>
    public SweepRun(string plan, string output, bool resume = false, ILogger? logger = null, TrainingInputs? inputs = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(output);
        var sweep = SweepPlan.Read(plan);
        (this.output, resumes, this.logger, this.inputs) = (output, resume, logger ?? NullLogger.Instance, inputs);
        values = sweep.Trials();
        runs = [.. values.Select((ofTrial, index) => OptionsOf(plan, sweep.Options, ofTrial, index))];
        foreach (var run in runs)
            run.Validate();
    }

    /// <summary>How many trials there are.</summary>
    public int TrialCount => runs.Length;

    /// <summary>Trains all trials that have not been trained yet.</summary>
    /// <param name="progress">Receives the reports of all trainings, one training after the other.</param>
    /// <param name="cancellation">When cancelled, the state is saved after the current step, and the call ends.</param>
    /// <exception cref="RunDirectoryException">The output directory is not empty, or holds another sweep.</exception>
    /// <inheritdoc cref="TrainingRun.Run" path="/exception[not(contains(@cref, 'RunDirectory')) and not(contains(@cref, 'Diverged'))]"/>
    public SweepResult Run(IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        var finished = Finished().ToDictionary(trial => trial.Number);
        Disk.CreateDirectory(output);
        var trials = new List<SweepTrial>();
        Write([.. finished.Values]);
        for (var i = 0; i < runs.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!finished.TryGetValue(i + 1, out var trial))
            {
                logger.LogInformation(
                    "Trial {Number} of {Count}: {Values}", i + 1, runs.Length, string.Join(", ", values[i].Select(value => $"{value.Key} {value.Value}")));
                finished[i + 1] = trial = Train(i, progress, cancellation);
                Write([.. finished.Values.OrderBy(done => done.Number)]);
            }
            trials.Add(trial);
        }
        var result = new SweepResult(trials);
        foreach (var warning in result.Warnings)
            logger.LogWarning("{Warning}", warning);
        return result;
    }

    private SweepTrial Train(int index, IProgress<TrainingReport>? progress, CancellationToken cancellation)
    {
        var options = runs[index] with { Resume = new RunDirectory(runs[index].Output).NewestStep is not null };
        try
        {
            var result = new TrainingRun(options, logger, inputs).Run(progress, cancellation);
            return new SweepTrial(index + 1, values[index], options.Output, result.BestEvaluation?.Metrics, Failure: null);
        }
        catch (TrainingDivergedException diverged)
        {
            // One of the settings that are tried may be too much; the others are not.
            logger.LogWarning("Trial {Number} failed: {Reason}", index + 1, diverged.Message);
            return new SweepTrial(index + 1, values[index], options.Output, Metrics: null, diverged.Message);
        }
    }

    private TrainingRunOptions OptionsOf(string plan, JsonObject shared, IReadOnlyDictionary<string, string> ofTrial, int index)
    {
        var all = shared.DeepClone().AsObject();
        foreach (var (name, text) in ofTrial)
            all[name] = RunFile<TrainingRunOptions>.ToNode(OptionText.Parse(text, RunFile<TrainingRunOptions>.TypeOf(name)!).Value!);
        if (!all.ContainsKey("data"))
            throw new RunFileException($"'{plan}' names no data; expected 'data' among its options.");
        all["output"] = Path.Combine(output, $"trial-{index + 1}");
        var options = RunFile<TrainingRunOptions>.ToOptions(all);
        // The same lists are held out for all, also where the seed is varied.
        var seed = shared["seed"]?.GetValue<long>() ?? 0;
        return options.SplitsData && options.SplitSeed is null ? options with { SplitSeed = seed } : options;
    }

    /// <summary>The trials that an earlier call finished.</summary>
    private IReadOnlyList<SweepTrial> Finished()
    {
        var file = Path.Combine(output, summaryFile);
        if (!File.Exists(file))
            return !Directory.Exists(output) || !Directory.EnumerateFileSystemEntries(output).Any()
                ? []
                : throw new RunDirectoryException($"'{output}' is not empty and holds no sweep. Give a new --output, so that no file is overwritten.");
        if (!resumes)
            throw new RunDirectoryException($"'{output}' already holds a sweep. Add --resume to continue it, or give another --output.");
        Summary? summary;
        try
        {
            summary = JsonSerializer.Deserialize<Summary>(FolderFile.ReadText(output, summaryFile, FileKind.Record), jsonOptions);
        }
        catch (JsonException exception)
        {
            throw new RunDirectoryException($"'{file}' is damaged ({exception.Message}). Restore it, or start the sweep in another directory.");
        }
        return summary is not null && summary.Options == OptionsText()
            ? summary.Trials
            : throw new RunDirectoryException(
                $"The sweep in '{output}' was started with another plan, so it can't go on with this one. Give the plan that it was started with, or "
                + "another --output.");
    }

    private void Write(SweepTrial[] trials) => PendingFile.WriteText(
        Path.Combine(output, summaryFile), JsonSerializer.Serialize(new Summary(OptionsText(), trials), jsonOptions) + "\n");

    /// <summary>The options of all trials, to be told from those of another plan.</summary>
    private string OptionsText() => string.Join(
        '\n', runs.Select(run => RunFile<TrainingRunOptions>.ToNode(run with { Output = Path.GetFileName(run.Output) })!.ToJsonString()));

    private sealed record Summary(string Options, IReadOnlyList<SweepTrial> Trials);
}
