using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Distributed;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using static TorchSharp.torch;

namespace RewardModel.Training.Runs;

/// <summary>The output directory can't be used for this run.</summary>
public sealed class RunDirectoryException(string message) : Exception(message);

/// <summary>
/// The directory a run writes to. While it trains, everything lies under <c>training/</c>: <c>log.jsonl</c>, the two newest states in
/// <c>states/step-N</c>, and the best weights of both in <c>best/step-N</c>. The trained model itself is written into the directory once, at
/// the end. A state is believed when its files are as its manifest says: a run goes on from the newest one of which that is so.
/// </summary>
/// <param name="path">The directory; created if it is missing.</param>
public sealed class RunDirectory(string path)
{
    /// <summary>The subdirectory that holds everything but the trained model.</summary>
    public const string FolderName = "training";

    private const string stateFile = "state.json";
    private const string fingerprintFile = "fingerprint.json";
    private const string weights = "weights";
    private const string optimizerMoments = "optimizer";
    private const string movingAverage = "average";

    private const int keptStates = 2;

    private readonly SavedSteps states = new(System.IO.Path.Combine(path, FolderName, "states"));
    private readonly SavedSteps best = new(System.IO.Path.Combine(path, FolderName, "best"));
    private readonly SavedSteps evaluated = new(System.IO.Path.Combine(path, FolderName, "evaluated"));

    /// <summary>The newest states that this run has saved or gone on from, and the steps of the best weights that they name.</summary>
    private readonly List<(int Step, int? BestStep)> kept = [];

    private FileStream? lockFile;
    private int lockCount;

    /// <summary>The step of the best weights so far, where they lie in this directory.</summary>
    private int? bestStep;

    /// <summary>How many evaluated weights the run averages.</summary>
    private int averagedCount;

    /// <summary>What the run goes on from, once it was looked for.</summary>
    private SavedState? found;

    /// <summary>The directory.</summary>
    public string Path => path;

    /// <summary>The file with one JSON object for each beginning, step, evaluation and end of the run.</summary>
    public string LogFile => System.IO.Path.Combine(path, FolderName, "log.jsonl");

    /// <summary>The file with the options that the run was started with.</summary>
    public string OptionsFile => System.IO.Path.Combine(path, FolderName, "run.yaml");

    /// <summary>The file with the report of the check of the run's lists.</summary>
    internal string DataFile => System.IO.Path.Combine(path, FolderName, "data.json");

    /// <summary>The file with the evaluation of the trained model.</summary>
    internal string EvaluationFile => System.IO.Path.Combine(path, FolderName, "evaluation.json");

    /// <summary>The directory of tokenised lists that ranks share, where the run is given no other.</summary>
    internal string ListCache => System.IO.Path.Combine(path, FolderName, "lists");

    /// <summary>The directory of the files for TensorBoard.</summary>
    internal string TensorBoardDirectory => System.IO.Path.Combine(path, FolderName, "tensorboard");

    /// <summary>The report that people look at.</summary>
    public string ReportFile => System.IO.Path.Combine(path, "report.html");

    /// <summary>The newest saved step; null when none was saved.</summary>
    public int? NewestStep => states.Steps.Select(step => (int?)step).LastOrDefault();

    /// <summary>All that is saved of the run beside its model: what it is, where it lies, and its step.</summary>
    internal IEnumerable<(string Name, string Directory, int Step)> SavedSteps =>
        new[] { ("state", states), ("best weights", best), ("evaluated weights", evaluated) }
            .SelectMany(kind => kind.Item2.Steps.Select(step => (kind.Item1, kind.Item2[step], step)));

    /// <summary>
    /// Keeps other processes from writing to the directory until the result is disposed of, or this process ends in any way.
    /// </summary>
    /// <exception cref="RunDirectoryException">Another one does.</exception>
    /// <exception cref="IOException">The directory can't be written to.</exception>
    internal IDisposable Lock()
    {
        if (lockCount++ > 0)
            return new Unlocking(this);
        try
        {
            Disk.CreateDirectory(System.IO.Path.Combine(path, FolderName));
            lockFile = Disk.Open(
                LockFile, FileMode.OpenOrCreate, FileShare.None, FileAccess.ReadWrite, bufferSize: 1, FileOptions.DeleteOnClose);
            return new Unlocking(this);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            lockCount--;
            // .NET tells of a lock by no type of its own; there is nothing else that keeps a file of ours from being opened.
            if (exception is IOException and not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException)
                && File.Exists(LockFile))
                throw new RunDirectoryException(
                    $"Another process is training in '{path}': it holds '{LockFile}'. Wait for it, or use another directory.");
            throw new RunDirectoryException($"'{path}' can't be written to ({exception.Message}); use another directory.");
        }
    }

    /// <summary>Creates an empty file of a new name, for others to tell whether they see it.</summary>
    /// <returns>The name.</returns>
    internal string CreateSharedFile()
    {
        var name = $"shared-{Environment.ProcessId}-{Stopwatch.GetTimestamp()}";
        Disk.Open(SharedFile(name), FileMode.Create).Dispose();
        return name;
    }

    /// <summary>Whether this process sees such a file.</summary>
    internal bool HasSharedFile(string name) => File.Exists(SharedFile(name));

    /// <summary>Deletes such a file.</summary>
    internal void DeleteSharedFile(string name) => Disk.Delete(SharedFile(name));

    /// <summary>Makes the directory ready for a new run: states of an older one are removed.</summary>
    internal void Begin()
    {
        foreach (var saved in new[] { states, best, evaluated })
            saved.Clear();
        Disk.Delete(DataFile);
        kept.Clear();
        bestStep = null;
    }

    /// <summary>What the model is that weights without a state of their own belong to.</summary>
    internal void WriteFingerprint(RunFingerprint fingerprint) =>
        PendingFile.WriteText(FingerprintFile, JsonSerializer.Serialize(fingerprint, ReportJson.Options));

    /// <summary>Saves a state. As all methods that write weights, all ranks call it together, and each writes what it has.</summary>
    internal void Save(
        RunFingerprint fingerprint, TrainerState state, TrainedWeights trained, Optimizer optimizer, MovingAverage? average = null)
    {
        states.Write(state.Step, trained.Ranks, directory =>
        {
            List<ManifestFile> files = [];
            Add(weights, trained.TensorParts);
            Add(optimizerMoments, optimizer.State());
            if (average is not null)
                Add(movingAverage, average.State());
            if (trained.Ranks.Rank == 0)
            {
                PendingFile.WriteText(
                    System.IO.Path.Combine(directory, stateFile),
                    JsonSerializer.Serialize(new SavedState(fingerprint, state, bestStep, [.. EvaluatedSteps.TakeLast(averagedCount)]), ReportJson.Options));
                files.Add(FileManifest.Of(directory, stateFile));
            }
            return files;

            void Add(string folder, IEnumerable<TensorPart> parts) => files.AddRange(
                trained.Write(System.IO.Path.Combine(directory, folder), parts).Select(file => file with { Name = $"{folder}/{file.Name}" }));
        });
        kept.RemoveAll(other => other.Step >= state.Step);
        kept.Add((state.Step, bestStep));
        kept.RemoveRange(0, Math.Max(0, kept.Count - keptStates));
        states.KeepOnly(trained.Ranks, kept.Select(other => other.Step));
        KeepBest(trained);
    }

    /// <summary>
    /// Keeps weights that are the best so far. Those that kept states name stay too: a run that is resumed from one may find other
    /// steps the best, where its device doesn't compute to the bit.
    /// </summary>
    internal void SaveBest(int step, TrainedWeights trained)
    {
        best.Write(step, trained.Ranks, directory => trained.Write(directory, trained.TensorParts));
        bestStep = step;
        KeepBest(trained);
    }

    private void KeepBest(TrainedWeights trained) =>
        best.KeepOnly(trained.Ranks, kept.Select(state => state.BestStep).Append(bestStep).OfType<int>());

    /// <summary>
    /// Keeps weights that were evaluated: of the newest ones as many as are averaged. A run that is resumed may end sooner, so as many from up
    /// to each of the kept states stay too.
    /// </summary>
    internal void SaveEvaluated(int step, TrainedWeights trained, int count)
    {
        averagedCount = count;
        evaluated.Write(step, trained.Ranks, directory => trained.Write(directory, trained.TensorParts));
        int[] all = [.. EvaluatedSteps];
        evaluated.KeepOnly(
            trained.Ranks,
            kept.Select(state => state.Step).Append(int.MaxValue).SelectMany(last => all.Where(saved => saved <= last).TakeLast(count)));
    }

    /// <summary>The steps of the evaluated weights that are kept, in their order.</summary>
    internal IEnumerable<int> EvaluatedSteps => evaluated.Steps;

    /// <summary>Sets this rank's weights to the mean of evaluated ones.</summary>
    internal void CopyMeanOfEvaluated(IReadOnlyList<int> steps, TrainedWeights trained)
    {
        var readers = new List<CheckpointReader>();
        try
        {
            foreach (var step in steps)
                readers.Add(CheckpointReader.Open(evaluated[step]));
            foreach (var part in trained.TensorParts)
                WeightMean.CopyTo(part.Tensor, readers.Select(reader => ((Func<Tensor>)(() => Read(reader, part)), 1.0 / steps.Count)));
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    /// <summary>
    /// Finds the newest state that is as it was saved, with the best and the evaluated weights that belong to it. All ranks call it together.
    /// </summary>
    /// <returns>Its step; null when no state was saved yet.</returns>
    /// <exception cref="RunDirectoryException">All states are damaged: all problems are listed.</exception>
    internal int? FindState(ICollective ranks, ILogger logger)
    {
        // The first rank says which there are: others may see an older listing of a directory on another machine.
        int[] steps = MemoryMarshal.Cast<byte, int>(
            ranks.Gather(MemoryMarshal.AsBytes<int>(states.Steps.ToArray()), "the saved states")[0]).ToArray();
        var damages = new List<string>();
        foreach (var step in steps.OrderDescending())
        {
            if (!Directory.Exists(states[step]))
                throw new RunDirectoryException(
                    $"Rank {ranks.Rank} doesn't see '{states[step]}', from which rank 0 goes on. Give an --output in a file system that all ranks share.");
            var problems = ProblemsOf(step, ranks, out found);
            if (problems.Count == 0)
            {
                foreach (var damage in damages)
                    logger.LogWarning("{Damage}", damage);
                if (damages.Count > 0)
                    logger.LogWarning("The run goes on from the state of step {Step}, which is as it was saved.", step);
                return step;
            }
            damages.Add($"The state of step {step} is damaged: {string.Join("; ", problems)}.");
        }
        return damages.Count == 0 ? null : throw new RunDirectoryException(
            $"The run in '{path}' can't be resumed, because no state of it is as it was saved. {string.Join(" ", damages)} "
            + "Restore one from a copy, or start the run in another directory.");
    }

    private IReadOnlyList<string> ProblemsOf(int step, ICollective ranks, out SavedState? state)
    {
        state = null;
        var problems = states.ProblemsOf(step, ranks);
        if (problems.Count > 0)
            return problems;
        var own = TryRead(step, out state) is { } problem ? [problem] : Array.Empty<string>();
        problems = Training.Runs.SavedSteps.Shared(ranks, own, $"what the state of step {step} says");
        if (problems.Count > 0 || state is null)
            return problems;
        return
        [
            .. (state.BestStep is { } bestOfState ? best.ProblemsOf(bestOfState, ranks) : [])
                .Select(problem => $"of its best weights: {problem}"),
            .. state.EvaluatedSteps.SelectMany(saved => evaluated.ProblemsOf(saved, ranks))
                .Select(problem => $"of the weights that it averages: {problem}"),
        ];
    }

    /// <returns>What is wrong with it; null where nothing is.</returns>
    private string? TryRead(int step, out SavedState? state)
    {
        state = null;
        try
        {
            state = Read<SavedState>(System.IO.Path.Combine(states[step], stateFile));
        }
        catch (RunDirectoryException exception)
        {
            return exception.Message.TrimEnd('.');
        }
        return state is { Fingerprint: null } or { State: null } or { EvaluatedSteps: null }
            ? $"{stateFile} lacks the fingerprint, the state or the evaluated steps of the run"
            : state.State.Step != step ? $"{stateFile} is of step {state.State.Step}" : null;
    }

    /// <summary>
    /// Sets weights and optimiser to the newest state that is as it was saved: of this rank, which may be one of more or fewer than those that
    /// saved it.
    /// </summary>
    /// <returns>False when no state was saved yet.</returns>
    /// <exception cref="RunDirectoryException">
    /// The state is of a run with other options, data, model, rule or tokenizer (all differences are listed), or beyond the run's last step; or
    /// all states are damaged.
    /// </exception>
    internal bool TryRestore(
        RunFingerprint fingerprint, TrainedWeights trained, Optimizer optimizer, ILogger logger, out TrainerState state,
        MovingAverage? average = null)
    {
        state = new TrainerState();
        if (found is null && FindState(trained.Ranks, logger) is null)
            return false;
        var saved = found!;
        var directory = states[saved.State.Step];
        var differences = fingerprint.DifferencesOf(saved.Fingerprint).ToArray();
        if (differences.Length > 0)
            throw new RunDirectoryException(
                $"The run in '{path}' can't be resumed, because it was started differently: {string.Join("; ", differences)}. "
                + "Use the options, data, model and tokenizer that it was started with, or another directory.");
        if (saved.State.Step > fingerprint.StepCount)
            throw new RunDirectoryException(
                $"The run in '{path}' has already taken {Counted.Of(saved.State.Step, "step")}, and {fingerprint.StepCount} "
                + $"{Counted.Verb(fingerprint.StepCount, "was", "were")} requested; request more (--steps, --epochs), or use another "
                + "directory.");
        foreach (var change in fingerprint.ChangesFrom(saved.Fingerprint))
            logger.LogWarning("{Change}", change);

        CopyInto(trained.TensorParts, System.IO.Path.Combine(directory, weights));
        CopyInto(optimizer.State(), System.IO.Path.Combine(directory, optimizerMoments));
        if (average is not null)
            CopyInto(average.State(), System.IO.Path.Combine(directory, movingAverage));
        optimizer.ResumeAt(saved.State.Step);
        state = saved.State;
        bestStep = saved.BestStep;
        averagedCount = saved.EvaluatedSteps.Count;
        kept.Clear();
        // The state before it is kept until there is another one, with what belongs to it, in case this one is damaged meanwhile.
        foreach (var older in states.Steps.Where(step => step < saved.State.Step).ToArray())
            if (TryRead(older, out var before) is null)
                kept.Add((older, before!.BestStep));
        kept.Add((state.Step, bestStep));
        // Evaluated after the state was saved, by a run that was killed: evaluated again where the run comes there again.
        evaluated.KeepOnly(trained.Ranks, EvaluatedSteps.Where(step => step <= saved.State.Step).ToArray());
        return true;
    }

    /// <summary>Refuses to overwrite what is there: a run that is not to be resumed, or files that belong to none.</summary>
    /// <exception cref="RunDirectoryException">There is such a thing.</exception>
    internal void CheckOutput(bool resumes)
    {
        if (NewestStep is not null)
        {
            if (resumes)
                return;
            throw new RunDirectoryException(
                $"'{path}' already holds a training run. Add --resume to continue it, or give another --output.");
        }
        if (File.Exists(path))
            throw new RunDirectoryException($"'{path}' is a file; give a directory as --output.");
        // A run that ended before its first state leaves nothing to keep.
        if (Directory.Exists(path)
            && Directory.EnumerateFileSystemEntries(path).Any(entry => System.IO.Path.GetFileName(entry) != FolderName))
            throw new RunDirectoryException($"'{path}' is not empty. Give a new --output, so that no file is overwritten.");
    }

    /// <summary>Sets a model to saved weights, and its rule to that of the run.</summary>
    /// <returns>The step that they are from.</returns>
    /// <exception cref="RunDirectoryException">There are none, or the model is not the run's: all differences are listed.</exception>
    internal int LoadWeights(bool best, ScoringModel model)
    {
        var saved = best ? this.best : states;
        if (saved.Steps.Select(saved => (int?)saved).LastOrDefault() is not { } step)
            throw new RunDirectoryException(
                $"The run in '{path}' has saved no {(best ? "best weights" : "state")} yet; "
                + (best ? "it may have no held-out lists, or keep the last weights as the best: export those (--step last)." : "let it run longer."));
        var directory = saved[step];
        CheckSaved(saved, step, SingleProcess.Instance);
        // Older versions wrote no such file.
        if (File.Exists(FingerprintFile))
        {
            var fingerprint = Read<RunFingerprint>(FingerprintFile);
            model.RememberTraining(fingerprint.Rule);
            var differences = fingerprint.DifferencesOf(model).ToArray();
            if (differences.Length > 0)
                throw new RunDirectoryException(
                    $"The weights in '{path}' can't be exported with the model that the run's options name: {string.Join("; ", differences)}. "
                    + "Restore the backbone and the tokenizer that it was started with.");
        }
        // With a moving average, that is what the run would end with here.
        var average = System.IO.Path.Combine(directory, movingAverage);
        CopyInto(
            model.Transformer.TrainedParameters.Select(pair => new TensorPart(pair.Name, pair.Parameter)),
            best ? directory : Directory.Exists(average) ? average : System.IO.Path.Combine(directory, weights));
        return step;
    }

    /// <exception cref="RunDirectoryException">The best weights are damaged.</exception>
    internal void RestoreBest(int step, TrainedWeights trained)
    {
        CheckSaved(best, step, trained.Ranks);
        CopyInto(trained.TensorParts, best[step]);
    }

    private static void CheckSaved(SavedSteps saved, int step, ICollective ranks)
    {
        var problems = saved.ProblemsOf(step, ranks);
        if (problems.Count > 0)
            throw new RunDirectoryException(
                $"The weights of step {step} are damaged: {string.Join("; ", problems)}. Resume the run (--resume), which goes on from the "
                + "newest state that is as it was saved, or restore the files from a copy.");
    }

    private static T Read<T>(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(InputFile.ReadBytes(file, FileKind.Record), ReportJson.Options)
                ?? throw new JsonException("it holds null");
        }
        // ArgumentException: a value that a type of ours does not take.
        catch (Exception exception) when (exception is JsonException or NotSupportedException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new RunDirectoryException(
                $"'{file}' is damaged ({exception.Message.Split('\n')[0].TrimEnd('.', '\r')}). Restore it, or start the run in another directory.");
        }
    }

    private static void CopyInto(IEnumerable<TensorPart> targets, string directory)
    {
        using var reader = CheckpointReader.Open(directory);
        using var _ = no_grad();
        foreach (var part in targets)
        {
            var shape = reader.Entry(part.Name).Shape;
            if (!shape.SequenceEqual(part.Shape))
                throw new RunDirectoryException(
                    $"'{part.Name}' in '{directory}' has the shape [{string.Join(", ", shape)}]; expected [{string.Join(", ", part.Shape)}]. "
                    + "The state is of another model; start the run in another directory.");
            reader.Read(part.Name, part.First, part.Tensor);
        }
    }

    private static Tensor Read(CheckpointReader reader, TensorPart part)
    {
        var values = empty(part.Tensor.shape);
        reader.Read(part.Name, part.First, values);
        return values;
    }

    private string FingerprintFile => System.IO.Path.Combine(path, FolderName, fingerprintFile);

    private string SharedFile(string name) => System.IO.Path.Combine(path, FolderName, name);

    private string LockFile => System.IO.Path.Combine(path, FolderName, "lock");

    private sealed class Unlocking(RunDirectory directory) : IDisposable
    {
        private bool isDisposed;

        public void Dispose()
        {
            if (isDisposed)
                return;
            isDisposed = true;
            if (--directory.lockCount > 0)
                return;
            directory.lockFile!.Dispose();
        }
    }

    /// <param name="Fingerprint">Of the run.</param>
    /// <param name="State">Where it stands.</param>
    /// <param name="BestStep">The step of the best weights, where they lie beside; null where there are none.</param>
    /// <param name="EvaluatedSteps">The steps of the evaluated weights beside that may be averaged.</param>
    private sealed record SavedState(RunFingerprint Fingerprint, TrainerState State, int? BestStep, IReadOnlyList<int> EvaluatedSteps);
}
