using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using static TorchSharp.torch;

namespace RewardModel.Training.Runs;

/// <summary>A run's directory holds something else than this run.</summary>
public sealed class RunDirectoryException(string message) : Exception(message);

/// <summary>
/// The directory a run writes to. While it trains, everything lies under <c>training/</c>: <c>log.jsonl</c>, the newest state in
/// <c>states/step-N</c>, and the best weights in <c>best/step-N</c>. The trained model itself is written into the directory once, at
/// the end. States appear by one rename: a kill at any time leaves a whole one.
/// </summary>
/// <param name="path">The directory; made when it is not there.</param>
public sealed class RunDirectory(string path)
{
    /// <summary>The folder in the directory that holds everything but the trained model.</summary>
    public const string FolderName = "training";

    private const string stateFile = "state.json";
    private const string weights = "weights";
    private const string optimizerMoments = "optimizer";

    private readonly string states = System.IO.Path.Combine(path, FolderName, "states");
    private readonly string best = System.IO.Path.Combine(path, FolderName, "best");

    /// <summary>The step of the best weights that the newest state names.</summary>
    private int? bestStepOfState;

    /// <summary>The directory.</summary>
    public string Path => path;

    /// <summary>The file with one JSON object for each step and evaluation.</summary>
    public string LogFile => System.IO.Path.Combine(path, FolderName, "log.jsonl");

    /// <summary>The newest saved step; null when none was saved.</summary>
    public int? NewestStep => Steps(states).LastOrDefault() is { Directory: not null } newest ? newest.Step : null;

    /// <summary>Makes the directory ready for a new run: states of an older one are removed.</summary>
    internal void Begin()
    {
        foreach (var older in new[] { states, best }.Where(Directory.Exists))
            Directory.Delete(older, recursive: true);
        Directory.CreateDirectory(states);
        Directory.CreateDirectory(best);
        bestStepOfState = null;
    }

    internal void Save(RunFingerprint fingerprint, TrainerState state, RewardTransformer model, AdamW optimizer)
    {
        WriteStep(states, state.Step, directory =>
        {
            CheckpointWriter.Write(System.IO.Path.Combine(directory, weights), Weights(model));
            CheckpointWriter.Write(System.IO.Path.Combine(directory, optimizerMoments), optimizer.State());
            File.WriteAllBytes(
                System.IO.Path.Combine(directory, stateFile),
                JsonSerializer.SerializeToUtf8Bytes(new SavedState(fingerprint, state), ReportJson.Options));
        });
        bestStepOfState = state.BestEvaluation?.Step;
        DeleteSteps(states, except: [state.Step]);
        DeleteSteps(best, except: [bestStepOfState]);
    }

    /// <summary>
    /// Keeps weights that are the best so far. Those that the newest state names stay too: a run that is resumed from it may find other
    /// steps the best, where its device doesn't compute to the bit.
    /// </summary>
    internal void SaveBest(int step, RewardTransformer model)
    {
        WriteStep(best, step, directory => CheckpointWriter.Write(directory, Weights(model)));
        DeleteSteps(best, except: [step, bestStepOfState]);
    }

    /// <summary>Sets model and optimiser to the newest state.</summary>
    /// <returns>False when no state was saved yet.</returns>
    /// <exception cref="RunDirectoryException">
    /// The state is of a run with other options, data, model, rule or tokenizer: all differences are listed.
    /// </exception>
    internal bool TryRestore(RunFingerprint fingerprint, RewardTransformer model, AdamW optimizer, out TrainerState state)
    {
        state = new TrainerState();
        if (Steps(states).LastOrDefault() is not { Directory: { } directory })
            return false;
        var saved = JsonSerializer.Deserialize<SavedState>(File.ReadAllBytes(System.IO.Path.Combine(directory, stateFile)), ReportJson.Options)!;
        var differences = fingerprint.DifferencesOf(saved.Fingerprint).ToArray();
        if (differences.Length > 0)
            throw new RunDirectoryException(
                $"The run in '{path}' can't be resumed, because it is another one: {string.Join("; ", differences)}. "
                + "Use the options, data, model and tokenizer it was started with, or another directory.");

        CopyInto(Weights(model), System.IO.Path.Combine(directory, weights));
        CopyInto(optimizer.State(), System.IO.Path.Combine(directory, optimizerMoments));
        optimizer.ResumeAt(saved.State.Step);
        state = saved.State;
        bestStepOfState = state.BestEvaluation?.Step;
        return true;
    }

    internal void RestoreBest(int step, RewardTransformer model) => CopyInto(Weights(model), StepDirectory(best, step));

    /// <summary>The model's parameters as tensors to write or to copy into.</summary>
    private static IEnumerable<(string Name, Tensor Tensor)> Weights(RewardTransformer model) =>
        model.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter));

    private static string StepDirectory(string parent, int step) => System.IO.Path.Combine(parent, $"step-{step:D8}");

    private static void CopyInto(IEnumerable<(string Name, Tensor Tensor)> targets, string directory)
    {
        using var reader = CheckpointReader.Open(directory);
        using var _ = no_grad();
        foreach (var (name, target) in targets)
        {
            using var saved = reader.Read(name);
            target.copy_(saved);
        }
    }

    private static void WriteStep(string parent, int step, Action<string> write)
    {
        var target = StepDirectory(parent, step);
        var unfinished = System.IO.Path.Combine(parent, "unfinished");
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished);
        write(unfinished);
        // A run that was killed after this step and resumed before it comes here again.
        if (Directory.Exists(target))
            Directory.Delete(target, recursive: true);
        Directory.Move(unfinished, target);
    }

    private static void DeleteSteps(string parent, int?[] except)
    {
        foreach (var (_, other) in Steps(parent).Where(saved => !except.Contains(saved.Step)))
            Directory.Delete(other, recursive: true);
    }

    private static IEnumerable<(int Step, string Directory)> Steps(string parent) =>
        Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, "step-*").Order(StringComparer.Ordinal)
                .Select(directory => (int.Parse(directory[^8..]), directory))
            : [];

    private sealed record SavedState(RunFingerprint Fingerprint, TrainerState State);
}
