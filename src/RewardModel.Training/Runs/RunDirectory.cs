using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RewardModel.Checkpoints;
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
/// The directory a run writes to. While it trains, everything lies under <c>training/</c>: <c>log.jsonl</c>, the newest state in
/// <c>states/step-N</c>, and the best weights in <c>best/step-N</c>. The trained model itself is written into the directory once, at
/// the end. States appear by a single rename, so a kill at any time leaves a complete one.
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

    private readonly string states = System.IO.Path.Combine(path, FolderName, "states");
    private readonly string best = System.IO.Path.Combine(path, FolderName, "best");
    private readonly string evaluated = System.IO.Path.Combine(path, FolderName, "evaluated");

    private FileStream? lockFile;
    private int lockCount;

    /// <summary>The step of the best weights that the newest state names.</summary>
    private int? bestStepOfState;

    /// <summary>The step of the newest state.</summary>
    private int stepOfState;

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
    public int? NewestStep => Steps(states).LastOrDefault() is { Directory: not null } newest ? newest.Step : null;

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
            Directory.CreateDirectory(System.IO.Path.Combine(path, FolderName));
            lockFile = new FileStream(
                LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
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
        File.WriteAllBytes(SharedFile(name), []);
        return name;
    }

    /// <summary>Whether this process sees such a file.</summary>
    internal bool HasSharedFile(string name) => File.Exists(SharedFile(name));

    /// <summary>Deletes such a file.</summary>
    internal void DeleteSharedFile(string name) => File.Delete(SharedFile(name));

    /// <summary>Makes the directory ready for a new run: states of an older one are removed.</summary>
    internal void Begin()
    {
        foreach (var older in new[] { states, best, evaluated }.Where(Directory.Exists))
            Directory.Delete(older, recursive: true);
        Directory.CreateDirectory(states);
        Directory.CreateDirectory(best);
        if (File.Exists(DataFile))
            File.Delete(DataFile);
        bestStepOfState = null;
        stepOfState = 0;
    }

    /// <summary>What the model is that weights without a state of their own belong to.</summary>
    internal void WriteFingerprint(RunFingerprint fingerprint) =>
        PendingFile.WriteText(FingerprintFile, JsonSerializer.Serialize(fingerprint, ReportJson.Options));

    /// <summary>Saves a state. As all methods that write weights, all ranks call it together, and each writes what it has.</summary>
    internal void Save(
        RunFingerprint fingerprint, TrainerState state, TrainedWeights trained, Optimizer optimizer, MovingAverage? average = null)
    {
        WriteStep(states, state.Step, trained, directory =>
        {
            trained.Write(System.IO.Path.Combine(directory, weights), trained.TensorParts);
            trained.Write(System.IO.Path.Combine(directory, optimizerMoments), optimizer.State());
            if (average is not null)
                trained.Write(System.IO.Path.Combine(directory, movingAverage), average.State());
            // Down to the disk, as the weights: the state before it is deleted next.
            if (trained.Ranks.Rank == 0)
                PendingFile.WriteText(
                    System.IO.Path.Combine(directory, stateFile),
                    JsonSerializer.Serialize(new SavedState(fingerprint, state), ReportJson.Options));
        });
        bestStepOfState = state.BestEvaluation?.Step;
        stepOfState = state.Step;
        DeleteSteps(states, trained, except: [state.Step]);
        DeleteSteps(best, trained, except: [bestStepOfState]);
    }

    /// <summary>
    /// Keeps weights that are the best so far. Those that the newest state names stay too: a run that is resumed from it may find other
    /// steps the best, where its device doesn't compute to the bit.
    /// </summary>
    internal void SaveBest(int step, TrainedWeights trained)
    {
        WriteStep(best, step, trained, directory => trained.Write(directory, trained.TensorParts));
        DeleteSteps(best, trained, except: [step, bestStepOfState]);
    }

    /// <summary>
    /// Keeps weights that were evaluated: of the newest ones as many as are averaged. From the newest state on, a run that is resumed may
    /// end sooner, so as many from up to it stay too.
    /// </summary>
    internal void SaveEvaluated(int step, TrainedWeights trained, int count)
    {
        WriteStep(evaluated, step, trained, directory => trained.Write(directory, trained.TensorParts));
        int[] all = [.. EvaluatedSteps];
        DeleteSteps(
            evaluated, trained, except: [.. all.TakeLast(count).Concat(all.Where(saved => saved <= stepOfState).TakeLast(count)).Select(saved => (int?)saved)]);
    }

    /// <summary>The steps of the evaluated weights that are kept, in their order.</summary>
    internal IEnumerable<int> EvaluatedSteps => Steps(evaluated).Select(saved => saved.Step);

    /// <summary>Sets this rank's weights to the mean of evaluated ones.</summary>
    internal void CopyMeanOfEvaluated(IReadOnlyList<int> steps, TrainedWeights trained)
    {
        var readers = new List<CheckpointReader>();
        try
        {
            foreach (var step in steps)
                readers.Add(CheckpointReader.Open(StepDirectory(evaluated, step)));
            foreach (var part in trained.TensorParts)
                WeightMean.CopyTo(part.Tensor, readers.Select(reader => ((Func<Tensor>)(() => Read(reader, part)), 1.0 / steps.Count)));
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    /// <summary>Sets weights and optimiser to the newest state: of this rank, which may be one of more or fewer than those that saved it.</summary>
    /// <returns>False when no state was saved yet.</returns>
    /// <exception cref="RunDirectoryException">
    /// The state is of a run with other options, data, model, rule or tokenizer (all differences are listed), beyond the run's last step, or
    /// damaged.
    /// </exception>
    internal bool TryRestore(
        RunFingerprint fingerprint, TrainedWeights trained, Optimizer optimizer, ILogger logger, out TrainerState state,
        MovingAverage? average = null)
    {
        state = new TrainerState();
        // The first rank says which it is: others may see an older listing of a directory on another machine.
        var ranks = trained.Ranks;
        var newest = BitConverter.ToInt32(ranks.Gather(BitConverter.GetBytes(NewestStep ?? -1), "the newest state")[0]);
        if (newest < 0)
            return false;
        var directory = StepDirectory(states, newest);
        if (!Directory.Exists(directory))
            throw new RunDirectoryException(
                $"Rank {ranks.Rank} doesn't see '{directory}', from which rank 0 goes on. Give an --output in a file system that all ranks share.");
        var saved = Read<SavedState>(System.IO.Path.Combine(directory, stateFile));
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
        bestStepOfState = state.BestEvaluation?.Step;
        stepOfState = state.Step;
        // Evaluated after the state was saved, by a run that was killed: evaluated again where the run comes there again.
        DeleteSteps(evaluated, trained, except: [.. EvaluatedSteps.Where(step => step <= saved.State.Step).Select(step => (int?)step)]);
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
        var parent = best ? this.best : states;
        if (Steps(parent).LastOrDefault() is not { Directory: { } directory, Step: var step })
            throw new RunDirectoryException(
                $"The run in '{path}' has saved no {(best ? "best weights" : "state")} yet; "
                + (best ? "it may have no held-out lists, or keep the last weights as the best: export those (--step last)." : "let it run longer."));
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

    internal void RestoreBest(int step, TrainedWeights trained) => CopyInto(trained.TensorParts, StepDirectory(best, step));

    private static T Read<T>(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(file), ReportJson.Options) ?? throw new JsonException("it holds null");
        }
        catch (JsonException exception)
        {
            throw new RunDirectoryException(
                $"'{file}' is damaged ({exception.Message.Split('\n')[0].TrimEnd('.', '\r')}). Restore it, or start the run in another directory.");
        }
    }

    private static string StepDirectory(string parent, int step) => System.IO.Path.Combine(parent, $"step-{step:D8}");

    private static void CopyInto(IEnumerable<TensorPart> targets, string directory)
    {
        using var reader = CheckpointReader.Open(directory);
        using var _ = no_grad();
        foreach (var part in targets)
            reader.Read(part.Name, part.First, part.Tensor);
    }

    private static Tensor Read(CheckpointReader reader, TensorPart part)
    {
        var values = empty(part.Tensor.shape);
        reader.Read(part.Name, part.First, values);
        return values;
    }

    private static void WriteStep(string parent, int step, TrainedWeights trained, Action<string> write)
    {
        var target = StepDirectory(parent, step);
        var unfinished = System.IO.Path.Combine(parent, "unfinished");
        trained.Ranks.FirstDoes(() =>
        {
            if (Directory.Exists(unfinished))
                Directory.Delete(unfinished, recursive: true);
            Directory.CreateDirectory(unfinished);
        });
        write(unfinished);
        trained.Ranks.FirstDoes(() =>
        {
            // A run that was killed after this step and resumed before it comes here again.
            if (Directory.Exists(target))
                Directory.Delete(target, recursive: true);
            Directory.Move(unfinished, target);
        });
    }

    private static void DeleteSteps(string parent, TrainedWeights trained, int?[] except) => trained.Ranks.FirstDoes(() =>
    {
        foreach (var (_, other) in Steps(parent).Where(saved => !except.Contains(saved.Step)))
            Directory.Delete(other, recursive: true);
    });

    private static IEnumerable<(int Step, string Directory)> Steps(string parent) =>
        Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, "step-*").Order(StringComparer.Ordinal)
                .Select(directory => (int.Parse(directory[^8..]), directory))
            : [];

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

    private sealed record SavedState(RunFingerprint Fingerprint, TrainerState State);
}
