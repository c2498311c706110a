using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Distributed;
using RewardModel.Training.Records;
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
    private readonly TrainingRunOptions asked;
    private readonly ILogger logger;
    private readonly TrainingInputs inputs;
    private readonly ICollective ranks;

    /// <summary>Prepares a run; nothing is read or written yet.</summary>
    /// <param name="options">The options of the run.</param>
    /// <param name="logger">Receives the settings of the run and its events, and everything that is skipped or truncated.</param>
    /// <param name="inputs">
    /// What reads tables, or lists that come from code; null: files of JSON, plain or compressed, are read.
    /// </param>
    /// <param name="ranks">
    /// The processes that train together: each makes the same run with the same files, in a file system that they share. The first one writes
    /// the log and the reports, and logs. Null: this process trains alone.
    /// </param>
    /// <exception cref="ArgumentException">Options are invalid, or files are missing: all are listed.</exception>
    public TrainingRun(
        TrainingRunOptions options, ILogger? logger = null, TrainingInputs? inputs = null, ICollective? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        this.inputs = inputs ?? new TrainingInputs();
        this.inputs.Check(options);
        if (options.Seeds is not null)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.Seeds))} is {options.Seeds}: several trainings, which EnsembleRun does; expected none.");
        this.ranks = ranks ?? SingleProcess.Instance;
        asked = options;
        if (this.ranks.LocalSize > 1 && options.Device.StartsWith("cuda:", StringComparison.Ordinal))
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.Device))} is {options.Device} for all of the {this.ranks.LocalSize} ranks of this machine; expected "
                + "cuda, of which each rank takes one GPU.");
        // Each rank of a machine has a GPU of its own.
        this.options = this.ranks.Size > 1 && options.Device == "cuda"
            ? options with { Device = $"cuda:{Collectives.GpuOf(this.ranks)}" }
            : options;
        this.logger = IsFirstRank && logger is not null ? logger : NullLogger.Instance;
    }

    private bool IsFirstRank => ranks.Rank == 0;

    /// <summary>Called when training begins or goes on: nothing is refused any more.</summary>
    internal Action? Started { get; init; }

    /// <summary>The command that the run was started with; null where it is started from code.</summary>
    internal string? Command { get; init; }

    /// <summary>Resumes an interrupted run with the options that it was started with.</summary>
    /// <param name="output">Its output directory.</param>
    /// <param name="logger">As for a new run.</param>
    /// <param name="inputs">As for a new run: the same lists.</param>
    /// <param name="ranks">As for a new run; may be more or fewer than before.</param>
    /// <exception cref="RunDirectoryException">The directory holds no run.</exception>
    /// <exception cref="RunFileException">Its run file was changed and can't be used.</exception>
    public static TrainingRun Resume(
        string output, ILogger? logger = null, TrainingInputs? inputs = null, ICollective? ranks = null) =>
        new(OptionsOf(output) with { Resume = true }, logger, inputs, ranks);

    /// <summary>The options that the run in a directory was started with.</summary>
    /// <param name="output">Its output directory.</param>
    /// <exception cref="RunDirectoryException">The directory holds no run.</exception>
    /// <exception cref="RunFileException">Its run file was changed and can't be used.</exception>
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
        RankAgreement.CheckOptions(ranks, asked);
        // Before the lock, which is a file in it.
        if (IsFirstRank)
            directory.CheckOutput(options.Resume);
        using var directoryLock = IsFirstRank ? directory.Lock() : null;
        CheckOutputIsShared(directory);
        // First of all: that nothing can be gone on from is better known before lists are read.
        var newestStep = options.Resume ? directory.FindState(ranks, logger) : null;
        using var prepared = Prepare(IsFirstRank ? progress : null, cancellation);
        var (model, heldOutLists) = (prepared.Model, prepared.HeldOut);
        using var log = IsFirstRank ? new TrainingLog(directory.LogFile, newestStep) : null;
        using var tensorBoard = IsFirstRank && options.TensorBoard ? new TensorBoardLog(directory.TensorBoardDirectory, newestStep) : null;
        var reports = log is null ? null : new RunReports(log, tensorBoard, progress);
        Trainer? trainer = null;
        // A resumption that is refused leaves what is on record of the run.
        void Begin(int step, RunFingerprint fingerprint)
        {
            RunFile<TrainingRunOptions>.Write(directory.OptionsFile, asked);
            // Of a run that went on from its end.
            Disk.Delete(directory.EvaluationFile);
            // A run that goes on may have its lists from a cache: what was found is there already.
            if (prepared.Report is { } data)
                PendingFile.WriteText(directory.DataFile, data.ToJson());
            reports!.Report(ReportOf(model, trainer!, step, fingerprint));
            Started?.Invoke();
        }
        trainer = new Trainer(
            model.Transformer, model, options, prepared.Train, heldOutLists, prepared.SourceWeights, directory, reports, logger, ranks)
        {
            Started = IsFirstRank ? Begin : null,
        };
        LogModel(model, trainer.LearningRate);
        var scaledBy = ListsToNormalizeBy(model, trainer.Lists.Train, heldOutLists);
        TrainingResult result;
        using var holder = new Trainer.Holder();
        try
        {
            result = trainer.TrainOnly(holder, options.Resume, cancellation);
            result = Finish(model, holder.Weights!, scaledBy, result);
            Evaluate(directory, prepared, holder.Weights!, trainer.Loss, reports, cancellation);
            reports?.Report(new EndReport(result.StepCount, result.StoppedEarly ? EndReason.StoppedEarly : EndReason.Finished));
        }
        catch (Exception exception)
        {
            reports?.ReportEnd(exception);
            throw;
        }
        if (!IsFirstRank)
            return result;
        var record = RunRecords.Read(options.Output);
        PendingFile.WriteText(directory.ReportFile, HtmlReport.Of(record));
        ModelCard.Write(options.Output, record, model.Rule.MaxLength, AdapterConfig.IsIn(options.Output));
        result = result with { Diagnoses = record.Diagnoses };
        RunDiagnoses.Log(result.Diagnoses, logger);
        return result;
    }

    /// <summary>Writes the trained model.</summary>
    private TrainingResult Finish(
        ScoringModel model, TrainedWeights trained, IReadOnlyList<TokenizedList> scaledBy, TrainingResult result)
    {
        RewardNormalizer? normalizer;
        try
        {
            normalizer = Normalize(model, scaledBy);
        }
        // A trained model is kept, also where its rewards can't be normalised. Of several ranks one may fail alone, and none saves then; their
        // state is saved.
        catch when (ranks.Size == 1)
        {
            trained.Save(model, options.Output);
            throw;
        }
        trained.Save(model, options.Output);
        return result with { Normalizer = normalizer };
    }

    /// <summary>Evaluates the model as it was saved.</summary>
    private void Evaluate(
        RunDirectory directory, Prepared prepared, TrainedWeights trained, RankingLoss loss, IProgress<TrainingReport>? progress,
        CancellationToken cancellation)
    {
        var (model, heldOut) = (prepared.Model, prepared.HeldOut);
        if (!ModelEvaluation.HasFigures(heldOut, model.Transformer.Outputs.Names, loss))
            return;
        var scorer = model.Scorer(options.MaxTokensPerBatch);
        SharedScoring.Evaluate(trained, (lists, scoring) => SharedScoring.Score(scorer, trained, lists, scoring, cancellation), score =>
        {
            var evaluation = new ModelEvaluation(model, score, loss)
            {
                LazyModels = prepared.Check.NgramScores(prepared.CheckedCount, prepared.CheckedHeldOut),
                Texts = prepared.Check.OriginalsOf(prepared.CheckedCount, prepared.CheckedHeldOut),
            }.Of(heldOut, PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Evaluating, 0, done => (done.DoneCount, done.TotalCount)));
            PendingFile.WriteText(directory.EvaluationFile, evaluation.ToJson());
        });
    }

    /// <summary>Ranks write to one directory together.</summary>
    /// <exception cref="DistributedException">Some don't see what the first one has written.</exception>
    private void CheckOutputIsShared(RunDirectory directory)
    {
        if (ranks.Size == 1)
            return;
        // A name that no file of an earlier run has.
        var name = Encoding.UTF8.GetString(ranks.Gather(
            Encoding.UTF8.GetBytes(IsFirstRank ? directory.CreateSharedFile() : ""), "a file in the output directory")[0]);
        var place = $"'{Path.GetFullPath(options.Output)}' on {Environment.MachineName}";
        string[] places =
        [
            .. ranks.Gather(
                Encoding.UTF8.GetBytes(directory.HasSharedFile(name) && !IsFirstRank ? "" : place), "whether all ranks see it")
                .Select(Encoding.UTF8.GetString),
        ];
        if (IsFirstRank)
            directory.DeleteSharedFile(name);
        string[] others =
        [
            .. Enumerable.Range(1, ranks.Size - 1).Where(rank => places[rank].Length > 0).Select(rank => $"rank {rank} ({places[rank]})"),
        ];
        if (others.Length > 0)
            throw new DistributedException(
                $"The ranks' output directories are not the same one: what rank 0 has written to {places[0]} is not seen by "
                + $"{string.Join(", ", others)}. Give an --output in a file system that all machines share, by a path that is the same for "
                + "all ranks.");
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
        using var prepared = Prepare(progress, cancellation, isPlan: true, shapes);
        if (shapes is null)
            ListsToNormalizeBy(prepared.Model, prepared.Train, prepared.HeldOut);
        return TrainingPlan.Of(
            prepared.Model, options, prepared.Train, prepared.HeldOut, prepared.SourceWeights, prepared.Report, shapes is null ? null : Devices.Named(options.Device, "--device"), logger);
    }

    /// <summary>Read before training, so that what is wrong with them is not told at its end.</summary>
    private IReadOnlyList<TokenizedList> ListsToNormalizeBy(
        ScoringModel model, IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists)
    {
        if (options.Normalization is not { ReferenceFile: { } file })
            return heldOutLists;
        // Plain text is read as the trained model will read it.
        model.RememberTraining(trainLists);
        var lists = new ListReading(model, logger) { Purpose = ListPurpose.Scoring }
            .Read(new RankedListFiles(file)
            { Tables = inputs.Tables, Layouts = inputs.Layouts, OnBadData = options.OnBadData });
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
    /// <param name="isPlan">Whether it is a dry run.</param>
    /// <param name="shapes">The model, where it is not to be loaded.</param>
    private Prepared Prepare(
        IProgress<TrainingReport>? progress, CancellationToken cancellation, bool isPlan = false, ScoringModel? shapes = null)
    {
        var directory = new RunDirectory(options.Output);
        if (IsFirstRank)
            directory.CheckOutput(options.Resume);
        if (options.Resume && directory.NewestStep is null)
            logger.LogInformation("There is no saved state in '{Output}': starting from the first step", options.Output);
        TorchLibraries.Require();
        torch.set_num_threads(options.Threads ?? ranks.ThreadsOf());
        // Told before the data are read, which may take long.
        Devices.Named(options.Device, "--device");
        // Ranks stop together: what each does by itself is not stopped.
        var ofOne = ranks.Size == 1 ? cancellation : CancellationToken.None;
        ScoringModel Load() => LoadModel(
            options, isShared: !isPlan,
            PhaseProgress<LoadProgress>.Of(progress, TrainingPhase.Loading, 0, read => (read.ReadBytes, read.TotalBytes)), ofOne);
        // Data are read before weights, which may take as long: for token ids a model's tokenizer and rule are enough. An adapter's are those
        // that it was loaded with.
        var withoutWeights = shapes ?? ShapesOrNull();
        var reader = withoutWeights ?? Load();
        var prepared = new Prepared();
        try
        {
            byte[] Read(string?[] keys, CancellationToken token) =>
                JsonSerializer.SerializeToUtf8Bytes(ReadLists(reader, prepared, isPlan, keys, progress, token));
            // The others find the lists in the cache, and need not go through the files to know which they are.
            if (inputs.Data is null)
            {
                var keys = ranks.FirstWorks(() => Read([], cancellation), "lists that the first rank reads");
                if (!IsFirstRank)
                    Read(JsonSerializer.Deserialize<string?[]>(keys)!, ofOne);
            }
            else
                Read([], ofOne);
            prepared.Model = withoutWeights is null || shapes is not null ? reader : Load();
            return prepared;
        }
        catch
        {
            prepared.Dispose();
            throw;
        }
        finally
        {
            if (reader != prepared.Model)
                reader.Dispose();
        }
    }

    /// <summary>Reads the lists of both sides, and checks them.</summary>
    /// <param name="reader">Its tokenizer and its rule are used.</param>
    /// <param name="prepared">Gets the lists.</param>
    /// <param name="isPlan">Whether they are checked in full, which takes a while.</param>
    /// <param name="keys">The keys that another rank has found or kept them by in the cache; none where this is the first one.</param>
    /// <param name="progress">Receives reports.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The keys that they have in the cache: those of the data, and of the held-out lists where these have files of their own.</returns>
    private string?[] ReadLists(
        ScoringModel reader, Prepared prepared, bool isPlan, string?[] keys, IProgress<TrainingReport>? progress, CancellationToken cancellation)
    {
        var ownKeys = new List<string?>();
        var needsClusters = options.SplitBy == SplitBy.NearDuplicate && options.SplitsData;
        var check = new RunCheck(reader, isPlan, needsClusters);
        CompactLists Read(IRankedListSource source, bool isOfEvalData)
        {
            var reading = new ListReading(reader, logger)
            {
                // What lies in a cache is not seen again.
                Cache = isPlan ? null : options.Cache ?? (ranks.Size > 1 && inputs.Data is null ? new RunDirectory(options.Output).ListCache : null),
                // A dry run leaves nothing behind.
                Overflow = isPlan ? Path.GetTempPath() : new RunDirectory(options.Output).ListCache,
                Key = keys.ElementAtOrDefault(ownKeys.Count),
                Progress = PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Tokenizing, 0, done => (done.DoneCount, done.TotalCount)),
                Cancellation = cancellation,
                Seen = (list, ids, cut) => check.Add(list, ids, cut, isOfEvalData),
                Extra = needsClusters ? ("near duplicates", check.ClustersAsText) : null,
            };
            var lists = reading.Read(source, options.OnBadData);
            ownKeys.Add(reading.Key);
            prepared.Own(lists);
            return lists;
        }
        var all = Read(inputs.Data ?? options.FilesOf(options.Data, inputs), isOfEvalData: false);
        (int[] Train, int[] Eval)? sides = null;
        if ((inputs.EvaluationData ?? (options.EvaluationData is { } paths ? options.FilesOf(paths, inputs) : null)) is { } evaluationData)
        {
            prepared.Train = all;
            prepared.HeldOut = Read(evaluationData, isOfEvalData: true);
            var shared = PromptSplit.CountShared(prepared.Train, prepared.HeldOut);
            if (shared > 0)
                logger.LogWarning(
                    "{Prompts} {Are} in both the training and the held-out lists: the held-out accuracy is not that of unseen prompts",
                    Counted.Of(shared, "prompt"), Counted.Verb(shared, "is", "are"));
        }
        else
        {
            sides = Split(all);
            prepared.Train = sides is null ? all : new ListSubset(all, sides.Value.Train);
            prepared.HeldOut = sides is null ? [] : new ListSubset(all, sides.Value.Eval);
        }
        prepared.Check = check;
        prepared.CheckedCount = sides is null ? all.Count + prepared.HeldOut.Count : all.Count;
        prepared.CheckedHeldOut = sides?.Eval ?? [.. Enumerable.Range(all.Count, prepared.HeldOut.Count)];
        prepared.Report = check.Report(prepared.CheckedCount, prepared.CheckedHeldOut);
        if (!isPlan)
            foreach (var sentence in prepared.Report?.Summary() ?? [])
                logger.LogInformation("Data check: {Sentence}", sentence);
        if (options.MaxListsPerPrompt is { } most)
        {
            var (kept, dropped) = ListsPerPrompt.Limit(prepared.Train, most, (ulong)options.Seed);
            prepared.Train = new ListSubset(prepared.Train, kept);
            logger.LogInformation(
                "{Dropped} of prompts with more than {Most} left out (--max-lists-per-prompt), {Kept} left", Counted.Of(dropped, "list"),
                most, kept.Length);
        }
        if (inputs.Data is null && DataSource.Of(options.Data) is var sources && sources.Any(source => source.Weight != 1))
        {
            prepared.SourceWeights = [.. sources.Select(source => source.Weight)];
            LogMixture(prepared.Train, sources);
        }
        return [.. ownKeys];
    }

    private void LogMixture(IReadOnlyList<TokenizedList> lists, IReadOnlyList<DataSource> sources)
    {
        var counts = new int[sources.Count];
        for (var i = 0; i < lists.Count; i++)
            counts[lists.KeysOf(i).Source]++;
        foreach (var (source, count) in sources.Zip(counts))
        {
            var ofEpoch = EpochMixture.CountOf(count, source.Weight);
            logger.Log(
                ofEpoch == 0 ? LogLevel.Warning : LogLevel.Information, "{Source}: an epoch has {Lists} of its {Count} (weight {Weight})", source.Name,
                Counted.Of(ofEpoch, "list"), count, source.Weight);
        }
    }

    /// <summary>The indices of both sides; null where nothing is held out.</summary>
    private (int[] Train, int[] Eval)? Split(CompactLists lists)
    {
        var (fraction, seed) = (options.EvaluationFraction ?? 0.1, (ulong)(options.SplitSeed ?? options.Seed));
        return PromptSplit.Of(
            options.SplitBy, lists.Count, lists.KeysOf, index => lists.InfoOf(index).Group,
            () => RunCheck.ClustersOf(DataNotes.Parse(lists.Notes).Extra!), fraction, seed);
    }

    /// <summary>A model and the lists that it is trained and evaluated on, with what these lie in.</summary>
    private sealed class Prepared : IDisposable
    {
        private readonly List<CompactLists> owned = [];

        public ScoringModel Model { get; set; } = null!;

        public IReadOnlyList<TokenizedList> Train { get; set; } = [];

        public IReadOnlyList<TokenizedList> HeldOut { get; set; } = [];

        /// <summary>How often an epoch has the lists of each path of the data; null where it has each once.</summary>
        public IReadOnlyList<double>? SourceWeights { get; set; }

        /// <summary>The check of the lists.</summary>
        public RunCheck Check { get; set; } = null!;

        /// <summary>How many lists it was to see.</summary>
        public int CheckedCount { get; set; }

        /// <summary>Which of them are held out, in the order of <see cref="HeldOut"/>.</summary>
        public int[] CheckedHeldOut { get; set; } = [];

        /// <summary>What the check of the lists found; null where they were not seen, as they lay in a cache.</summary>
        public DataReport? Report { get; set; }

        public void Own(CompactLists lists) => owned.Add(lists);

        public void Dispose()
        {
            Model?.Dispose();
            foreach (var lists in owned)
                lists.Dispose();
        }
    }

    /// <summary>Bytes of memory that weights and gradients may take in a dry run.</summary>
    internal long AvailableMemory { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>The model without weights, where these and their gradients are too large for this machine; else null.</summary>
    private ScoringModel? ShapesOfTooLarge()
    {
        TorchLibraries.Require();
        if (ShapesOrNull() is not { } model)
            return null;
        // The plan adds adapters; beside them there are next to no gradients.
        if (options.Lora is null)
            Trainer.ChooseTrained(model.Transformer, options);
        var memory = TrainingMemory.Estimate(model.Transformer, new ListSize(0, 1, 1));
        if (memory.Weights + (options.Lora is null ? memory.Gradients : 0) > AvailableMemory)
            return model;
        model.Dispose();
        return null;
    }

    /// <summary>The model without its weights; null for an adapter, which is known when it is loaded.</summary>
    private ScoringModel? ShapesOrNull()
    {
        if (options.Backbone is { } adapter && AdapterConfig.IsIn(adapter))
            return null;
        var tokenizer = options.Tokenizer is { } folder ? HuggingFaceTokenizer.Load(folder) : null;
        return options.Backbone is { } backbone
            ? ScoringModel.ShapesForTraining(backbone, tokenizer, options.MaxLength, options.Encoding, options.StoredWeights, options.WeightsOfOutputs)
            : new ScoringModel(
                RewardTransformer.WithoutWeights(HuggingFaceConfig.ReadFile(options.Config!).With(options.WeightsOfOutputs)), tokenizer, options.MaxLength,
                options.Encoding ?? TextEncoding.Joint);
    }

    /// <param name="options">The run's.</param>
    /// <param name="isShared">Whether weights that ranks divide are read by <see cref="TrainedWeights"/>, each rank its own.</param>
    /// <param name="progress">Receives reports.</param>
    /// <param name="cancellation">Ends it.</param>
    private static ScoringModel LoadModel(
        TrainingRunOptions options, bool isShared = false, IProgress<LoadProgress>? progress = null, CancellationToken cancellation = default)
    {
        var tokenizer = options.Tokenizer is { } folder ? HuggingFaceTokenizer.Load(folder) : null;
        // No rank has such a model whole.
        if (isShared && options is { Shard: Sharding.Parameters, Backbone: { } checkpoint, StoredWeights: null } && !AdapterConfig.IsIn(checkpoint))
            return ScoringModel.LoadForSharing(
                checkpoint, tokenizer, options.MaxLength, options.Dropout, options.Seed, options.Encoding, options.Device,
                options.WeightsOfOutputs);
        if (options.Backbone is { } backbone)
            return ScoringModel.LoadForTraining(
                backbone, tokenizer, options.MaxLength, options.Dropout, options.Seed, options.Encoding, options.Device, options.BaseModel,
                options.StoredWeights, options.WeightsOfOutputs, progress, cancellation);
        var transformer = RewardTransformer.FromConfig(
            HuggingFaceConfig.ReadFile(options.Config!).With(options.WeightsOfOutputs), options.Dropout, options.Seed);
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
            OriginOf(transformer),
            model.Rule.MaxLength, transformer.Device, Counted.Of(torch.get_num_threads(), "thread"), learningRate, options.Dropout);
        if (model.PaddingProblem is { } problem)
            logger.LogWarning("{Problem}", problem);
    }

    private RunReport ReportOf(ScoringModel model, Trainer trainer, int step, RunFingerprint fingerprint)
    {
        var transformer = model.Transformer;
        return new RunReport(step, trainer.StepCount)
        {
            Version = typeof(TrainingRun).Assembly.GetName().Version!.ToString(3),
            Libraries = $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)}, libtorch {torch.__version__}, "
                + $".NET {Environment.Version}, {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
            Device = $"{transformer.Device}, {Counted.Of(torch.get_num_threads(), "thread")}",
            Model = $"{transformer.Backbone.GetName()}, {OriginOf(transformer)}, of {options.Backbone ?? options.Config}",
            ParameterCount = transformer.CheckpointParameters.Sum(pair => pair.Parameter.numel()),
            TrainedParameterCount = transformer.TrainedParameters.Sum(pair => pair.Parameter.numel()),
            ListCount = trainer.Lists.Train.Count,
            HeldOutListCount = trainer.Lists.HeldOut.Count,
            DataDigest = fingerprint.DigestOfLists(),
            Options = RunFile<TrainingRunOptions>.DifferencesOf(options, new TrainingRunOptions { Data = [], Output = "" }),
            Command = Command,
            PaddingProblem = model.PaddingProblem,
        };
    }

    private static string OriginOf(RewardTransformer transformer) =>
        transformer.IsNew ? "newly initialised" : transformer.HasNewHead ? "new head" : "head from the checkpoint";
}
