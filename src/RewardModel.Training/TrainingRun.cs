using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using TorchSharp;

namespace RewardModel.Training;

/// <summary>
/// Training as one call: files of ranked lists and a checkpoint go in, the directory of a trained reward model comes out. What can be
/// checked cheaply is checked first: options, paths and data, before any weight is read.
/// </summary>
/// <remarks>
/// The output directory has, in <c>training/</c>, the options (<c>run.yaml</c>), the log, the newest states and the best weights; a run that
/// was stopped or killed continues from there with <see cref="Resume"/>. One process at a time may write to it.
/// </remarks>
/// <example>
/// <code>
/// var run = new TrainingRun(new TrainingRunOptions { Data = "train.jsonl", Backbone = "sft-model", Output = "reward-model" });
/// var result = run.Run();
/// Console.WriteLine($"held-out accuracy {result.BestEvaluation?.Metrics.Accuracy:P1}");
/// </code>
/// </example>
public sealed class TrainingRun
{
    private readonly TrainingRunOptions options;
    private readonly ILogger logger;

    /// <summary>Prepares a run; nothing is read or written yet.</summary>
    /// <param name="options">The options of the run.</param>
    /// <param name="logger">Receives the settings of the run and its events, and everything that is skipped or truncated.</param>
    /// <exception cref="ArgumentException">Options are invalid, or files are missing: all are listed.</exception>
    public TrainingRun(TrainingRunOptions options, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Seeds is not null)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.Seeds))} is {options.Seeds}: several trainings, which EnsembleRun does; expected none.");
        this.options = options;
        this.logger = logger ?? NullLogger.Instance;
    }

    /// <summary>Called when training begins or goes on: nothing is refused any more.</summary>
    internal Action? Started { get; init; }

    /// <summary>Resumes an interrupted run with the options that it was started with.</summary>
    /// <param name="output">Its output directory.</param>
    /// <param name="logger">As for a new run.</param>
    /// <exception cref="RunDirectoryException">The directory holds no run.</exception>
    /// <exception cref="RunFileException">Its run file was changed and can't be used.</exception>
    public static TrainingRun Resume(string output, ILogger? logger = null) => new(OptionsOf(output) with { Resume = true }, logger);

    /// <summary>The options that the run in a directory was started with.</summary>
    /// <inheritdoc cref="Resume"/>
    public static TrainingRunOptions OptionsOf(string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var file = new RunDirectory(output).OptionsFile;
        return File.Exists(file)
            ? RunFile<TrainingRunOptions>.ToOptions(RunFile<TrainingRunOptions>.Read(file)) with { Output = output }
            : throw new RunDirectoryException($"'{output}' holds no training run: there is no '{file}'.");
    }

    /// <summary>
    /// Exports a model from an interrupted run, or from other weights of a finished one; of a run that trains an adapter, the adapter.
    /// </summary>
    /// <param name="run">The run's output directory.</param>
    /// <param name="best">True: the best evaluated weights so far; false: those of the newest state.</param>
    /// <param name="output">Directory for the model.</param>
    /// <returns>The step of the weights.</returns>
    /// <exception cref="RunDirectoryException">
    /// The directory holds no run, or no such weights yet, or the run's backbone or tokenizer is not what it was.
    /// </exception>
    public static int Export(string run, bool best, string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var options = OptionsOf(run);
        using var model = LoadModel(options);
        Trainer.ChooseTrained(model.Transformer, options);
        var step = new RunDirectory(run).LoadWeights(best, model);
        model.Save(output);
        return step;
    }

    /// <summary>Trains, and writes the model into the output directory.</summary>
    /// <param name="progress">Receives a report for every step and every evaluation.</param>
    /// <param name="cancellation">When cancelled, the state is saved after the current step, and the call ends.</param>
    /// <exception cref="RunDirectoryException">The output directory is in use, not empty, or holds another run.</exception>
    /// <exception cref="RankedDataException">Data can't be read, or have invalid lines: all are listed.</exception>
    /// <exception cref="CheckpointException">The backbone can't be used: all reasons are listed.</exception>
    /// <exception cref="TokenizerException">The tokenizer can't be used, or rejects lists.</exception>
    /// <exception cref="TrainingDivergedException">A loss, gradient or weight is not finite.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public TrainingResult Run(IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        // One of its own for each call, so that two at once can't share its lock.
        var directory = new RunDirectory(options.Output);
        // Before the lock, which is a file in it.
        directory.CheckOutput(options.Resume);
        using var directoryLock = directory.Lock();
        var (model, trainLists, heldOutLists) = Prepare(progress, cancellation);
        using var _ = model;
        using var log = new TrainingLog(directory.LogFile, options.Resume ? directory.NewestStep : null);
        var trainer = new Trainer(model, options, trainLists, heldOutLists, directory, new Both(log, progress), logger)
        {
            // A resumption that is refused leaves the options of the run.
            Started = () =>
            {
                RunFile<TrainingRunOptions>.Write(directory.OptionsFile, options);
                Started?.Invoke();
            },
        };
        LogModel(model, trainer.LearningRate);
        var scaledBy = ListsToNormalizeBy(model, trainer.Lists.Train, heldOutLists);
        var result = trainer.Train(options.Resume, cancellation);
        try
        {
            return result with { Normalizer = Normalize(model, scaledBy) };
        }
        finally
        {
            // A trained model is kept, also where its rewards can't be normalised.
            model.Save(options.Output);
        }
    }

    /// <summary>The same on a thread-pool thread.</summary>
    /// <inheritdoc cref="Run"/>
    public Task<TrainingResult> RunAsync(IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default) =>
        Task.Run(() => Run(progress, cancellation), CancellationToken.None);

    /// <summary>
    /// A dry run: reads and tokenises the data, loads the model, and computes the gradients of one batch to estimate the time. Of a model
    /// whose weights and gradients don't fit in this machine's memory no weight is read; the time is estimated from its matrix products.
    /// Writes nothing.
    /// </summary>
    /// <inheritdoc cref="Run"/>
    public TrainingPlan Plan(IProgress<TrainingReport>? progress = null, CancellationToken cancellation = default)
    {
        var shapes = ShapesOfTooLarge();
        var (model, trainLists, heldOutLists) = Prepare(progress, cancellation, shapes);
        using var _ = model;
        if (shapes is null)
            ListsToNormalizeBy(model, trainLists, heldOutLists);
        return TrainingPlan.Of(model, options, trainLists, heldOutLists, shapes is null ? null : Devices.Named(options.Device, "--device"), logger);
    }

    /// <summary>Read before training, so that what is wrong with them is not told at its end.</summary>
    private IReadOnlyList<TokenizedList> ListsToNormalizeBy(
        ScoringModel model, IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists)
    {
        if (options.Normalization is not { ReferenceFile: { } file })
            return heldOutLists;
        // Plain text is read as the trained model will read it.
        model.RememberTraining(trainLists);
        var lists = ListFile.ReadTokenized(model, file, options.OnBadData, logger, areToScore: true);
        TrainingLists.CheckFit(model.Transformer, lists);
        return lists;
    }

    private RewardNormalizer? Normalize(ScoringModel model, IReadOnlyList<TokenizedList> lists)
    {
        if (options.Normalization is not { } normalization)
            return null;
        var normalizer = normalization.Of(model, lists, options.MaxTokensPerBatch, logger);
        model.SetNormalizer(normalizer);
        return normalizer;
    }

    /// <param name="progress">Receives reports.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="shapes">The model, where it is not to be loaded.</param>
    private (ScoringModel Model, IReadOnlyList<TokenizedList> Train, IReadOnlyList<TokenizedList> HeldOut) Prepare(
        IProgress<TrainingReport>? progress, CancellationToken cancellation, ScoringModel? shapes = null)
    {
        var directory = new RunDirectory(options.Output);
        directory.CheckOutput(options.Resume);
        if (options.Resume && directory.NewestStep is null)
            logger.LogInformation("There is no saved state in '{Output}': starting from the first step", options.Output);
        TorchLibraries.Require();
        torch.set_num_threads(options.Threads ?? Environment.ProcessorCount);
        // Told before the data are read, which may take long.
        Devices.Named(options.Device, "--device");
        var (trainFile, heldOutFile) = ReadLists();
        cancellation.ThrowIfCancellationRequested();
        var model = shapes ?? LoadModel(
            options, PhaseProgress<LoadProgress>.Of(progress, TrainingPhase.Loading, 0, read => (read.ReadBytes, read.TotalBytes)), cancellation);
        try
        {
            var tokenizing = PhaseProgress<ListProgress>.Of(
                progress, TrainingPhase.Tokenizing, 0, done => (done.DoneCount, done.TotalCount));
            var lists = ListFile.Tokenize(
                model,
                [
                    (trainFile, DataPath.NameOf(options.Data)),
                    (heldOutFile, options.EvaluationData is { } evaluationData ? DataPath.NameOf(evaluationData) : "held-out lists"),
                ],
                options.OnBadData, logger, tokenizing, cancellation);
            return (model, lists[0], lists[1]);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private (RankedListFile Train, RankedListFile HeldOut) ReadLists()
    {
        var file = ListFile.Read(options.Data, options.OnBadData, logger);
        var (train, heldOut) = options.EvaluationData is { } evaluationData
            ? (file, ListFile.Read(evaluationData, options.OnBadData, logger))
            : PromptSplit.Of(file, options.EvaluationFraction ?? 0.1, (ulong)(options.SplitSeed ?? options.Seed));
        var shared = ListFile.Prompts(train).Intersect(ListFile.Prompts(heldOut)).Count();
        if (shared > 0)
            logger.LogWarning(
                "{Prompts} {Are} in both the training and the held-out lists: the held-out accuracy is not that of unseen prompts",
                Counted.Of(shared, "prompt"), Counted.Verb(shared, "is", "are"));
        return (train, heldOut);
    }

    /// <summary>Bytes of memory that weights and gradients may take in a dry run.</summary>
    internal long AvailableMemory { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The model without weights, where these and their gradients are too large for this machine; else null.</summary>
    private ScoringModel? ShapesOfTooLarge()
    {
        if (options.Backbone is { } adapter && AdapterConfig.IsIn(adapter))
            return null;
        TorchLibraries.Require();
        var tokenizer = options.Tokenizer is { } folder ? HuggingFaceTokenizer.Load(folder) : null;
        var model = options.Backbone is { } backbone
            ? ScoringModel.ShapesForTraining(backbone, tokenizer, options.MaxLength, options.Encoding, options.StoredWeights)
            : new ScoringModel(
                RewardTransformer.WithoutWeights(HuggingFaceConfig.ReadFile(options.Config!)), tokenizer, options.MaxLength,
                options.Encoding ?? TextEncoding.Joint);
        // The plan adds adapters; beside them there are next to no gradients.
        if (options.Lora is null)
            Trainer.ChooseTrained(model.Transformer, options);
        var memory = TrainingMemory.Estimate(model.Transformer, new ListSize(0, 1, 1));
        if (memory.Weights + (options.Lora is null ? memory.Gradients : 0) > AvailableMemory)
            return model;
        model.Dispose();
        return null;
    }

    private static ScoringModel LoadModel(
        TrainingRunOptions options, IProgress<LoadProgress>? progress = null, CancellationToken cancellation = default)
    {
        var tokenizer = options.Tokenizer is { } folder ? HuggingFaceTokenizer.Load(folder) : null;
        if (options.Backbone is { } backbone)
            return ScoringModel.LoadForTraining(
                backbone, tokenizer, options.MaxLength, options.Dropout, options.Seed, options.Encoding, options.Device, options.BaseModel,
                options.StoredWeights,
                progress, cancellation);
        var transformer = RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(options.Config!), options.Dropout, options.Seed);
        transformer.to(Devices.Named(options.Device, "--device"));
        return new ScoringModel(transformer, tokenizer, options.MaxLength, options.Encoding ?? TextEncoding.Joint);
    }

    private void LogModel(ScoringModel model, double learningRate)
    {
        var transformer = model.Transformer;
        var all = transformer.CheckpointParameters.Sum(pair => pair.Parameter.numel());
        logger.LogInformation(
            "{Model}: {Parameters:N0} parameters, {Head}, maximum length {MaxLength}, {Device}, {Threads}, "
            + "learning rate {LearningRate}, dropout {Dropout}",
            transformer.Backbone.GetName(), all,
            transformer.IsNew ? "newly initialised" : transformer.HasNewHead ? "new head" : "head from the checkpoint",
            model.Rule.MaxLength, transformer.Device, Counted.Of(torch.get_num_threads(), "thread"), learningRate, options.Dropout);
        if (model.PaddingProblem is { } problem)
            logger.LogWarning("{Problem}", problem);
    }

    private sealed class Both(IProgress<TrainingReport> first, IProgress<TrainingReport>? second) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            first.Report(value);
            second?.Report(value);
        }
    }
}
