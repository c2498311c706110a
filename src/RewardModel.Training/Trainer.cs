using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Distributed;
using RewardModel.Training.Metrics;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Training;

/// <summary>
/// Trains a reward model on ranked lists. Each answer is scored once per step, and its reward used in all its pairs; each prompt is
/// computed once for all its answers. The same seed, data, model and count of threads give the same weights on the CPU, bit for bit, also
/// when the run was killed and resumed.
/// </summary>
/// <example>
/// <code>
/// using var model = ScoringModel.LoadForTraining("path/to/sft-model", maxLength: 512);
/// var (train, heldOut) = PromptSplit.Of(RankedListReader.Read("train.jsonl"), evalFraction: 0.1, seed: 0);
/// var trainer = new Trainer(
///     model, new TrainingOptions { LearningRate = 9e-6 }, model.Tokenize(train.Lists).Lists, model.Tokenize(heldOut.Lists).Lists,
///     new RunDirectory("my-reward-model"));
/// var result = trainer.Train(resume: true);
/// model.Save("my-reward-model");
/// Console.WriteLine($"held-out accuracy {result.BestEvaluation!.Metrics.Accuracy:P1}");
/// </code>
/// </example>
public sealed class Trainer
{
    // Of fine-tuning, of adapters (QLoRA, arXiv 2305.14314, table 9, for its larger models), and of training where all weights are new.
    private const double usualRate = 1e-5, usualRateOfAdapters = 1e-4, usualRateOfNew = 5e-4;

    private readonly RewardTransformer model;
    private readonly ScoringModel? savedAs;
    private readonly TrainingOptions options;
    private readonly TrainingLists lists;
    private readonly RunDirectory? directory;
    private readonly IProgress<TrainingReport>? progress;
    private readonly ILogger logger;
    private readonly ICollective ranks;
    private readonly RankingLoss loss;
    private readonly LearningRateSchedule schedule;
    private readonly int evaluationInterval;
    private readonly List<EvaluationReport> evaluations = [];
    private bool hasAdded;
    private bool hasStarted;
    private string[] damaged = [];

    /// <summary>Prepares a run; nothing is computed or written yet.</summary>
    /// <param name="model">
    /// The model to train. It ends with the best evaluated weights, or the final ones without held-out lists; and with adapters, where the
    /// options ask for them. A model that has adapters already is trained as such.
    /// </param>
    /// <param name="options">The training options.</param>
    /// <param name="trainLists">
    /// Training lists. Those without an ordered pair (one answer, or all tied or equal) are skipped and counted in the log, unless the loss
    /// applies to them all the same.
    /// </param>
    /// <param name="heldOutLists">The held-out set, with other prompts than the training lists; may be empty.</param>
    /// <param name="directory">Where states are saved and resumed from; null saves nothing.</param>
    /// <param name="progress">Receives a report for every step and every evaluation.</param>
    /// <param name="logger">Receives the settings of the run and its events.</param>
    /// <param name="ranks">
    /// The processes that train together, each of which makes the same calls with the same model, options and lists, and the same directory in
    /// a file system that they share. Null: this one trains alone.
    /// </param>
    /// <exception cref="ArgumentException">
    /// An option is out of range, no list has a pair, a list is longer than the model takes, or adapters are asked for that the model can't
    /// get.
    /// </exception>
    public Trainer(
        RewardTransformer model, TrainingOptions options,
        IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        RunDirectory? directory = null, IProgress<TrainingReport>? progress = null, ILogger? logger = null, ICollective? ranks = null)
        : this(model, savedAs: null, options, trainLists, heldOutLists, sourceWeights: null, directory, progress, logger, ranks)
    {
    }

    /// <param name="model">The model to train.</param>
    /// <param name="savedAs">What it is saved as; null where that is not known.</param>
    /// <param name="options">The training options.</param>
    /// <param name="trainLists">Training lists: all at once, or of a store, which are then read step by step.</param>
    /// <param name="heldOutLists">The held-out set.</param>
    /// <param name="sourceWeights">How often an epoch has the lists of each source, by the sources' numbers; null: every list once.</param>
    /// <param name="directory">Where states are saved.</param>
    /// <param name="progress">Receives reports.</param>
    /// <param name="logger">Receives the settings of the run and its events.</param>
    /// <param name="ranks">The processes that train together; null: this one alone.</param>
    internal Trainer(
        RewardTransformer model, ScoringModel? savedAs, TrainingOptions options,
        IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists, IReadOnlyList<double>? sourceWeights,
        RunDirectory? directory, IProgress<TrainingReport>? progress, ILogger? logger, ICollective? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(trainLists);
        ArgumentNullException.ThrowIfNull(heldOutLists);
        options.Validate();
        (this.model, this.savedAs) = (model, savedAs);
        this.options = options.WithDefaults();
        this.directory = directory;
        this.progress = progress;
        this.logger = logger ?? NullLogger.Instance;
        this.ranks = ranks ?? SingleProcess.Instance;
        this.logger.LogDebug("{Libraries}", TorchLibraries.Description);
        loss = RankingLoss.Of(options.LossOptions with
        {
            Levels = LevelsOf(trainLists),
            OutputNames = options.Pointwise == PointwiseLoss.Attributes ? model.Outputs.Names : null,
        });
        if (loss.HasLabels)
            CheckLabels([trainLists, heldOutLists]);
        if (loss.ReadsOutputs)
            CheckAttributes(trainLists);
        lists = new TrainingLists(model, this.options, loss, trainLists, heldOutLists, this.logger, sourceWeights);
        if (options.RewardPositions == RewardPositions.All && !model.Backbone.IsCausal)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.RewardPositions))} is all; this {model.Backbone.GetName()} reads an answer as a whole and "
                + "has no rewards of its tokens. Use last.");
        if (options.UnfrozenLayers > model.Backbone.Layers.Count)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.UnfrozenLayers))} is {options.UnfrozenLayers}; "
                + $"this {model.Backbone.GetName()} has {Counted.Of(model.Backbone.Layers.Count, "layer")}.");
        if (options.Shard == Sharding.Parameters && model.FrozenWeights is { } stored)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.Shard))} is parameters, and frozen weights are stored as {stored.Storage}, which are not divided; "
                + "expected gradients, with which each rank has all of these, or float32 weights.");
        CheckAdapter();
        StepCount = options.Steps ?? lists.StepsOf(options.Epochs);
        LearningRate = options.LearningRate
            ?? (model.Adapter is not null || options.LoraRank is not null ? usualRateOfAdapters : model.IsNew ? usualRateOfNew : usualRate);
        schedule = ScheduleOf(this.options);
        evaluationInterval = options.EvaluationInterval ?? Math.Max(1, StepCount / 10);
        var evaluationCount = (StepCount - 1) / evaluationInterval + 1;
        if (options.AverageLast > evaluationCount)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.AverageLast))} is {options.AverageLast}; expected at most {evaluationCount}, as many "
                + $"evaluations as the run of {Counted.Of(StepCount, "step")} has after its start. Evaluate more often (--eval-every).");
    }

    /// <summary>
    /// Prepares a run on the transformer of a model that <see cref="ScoringModel.Save"/> writes when it is trained. What it writes depends
    /// on the model's rule and tokenizer too, so a saved run is only resumed with the same ones.
    /// </summary>
    /// <inheritdoc cref="Trainer(
    ///     RewardTransformer, TrainingOptions, IReadOnlyList{TokenizedList}, IReadOnlyList{TokenizedList},
    ///     RunDirectory, IProgress{TrainingReport}, ILogger, ICollective)"/>
    public Trainer(
        ScoringModel model, TrainingOptions options,
        IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        RunDirectory? directory = null, IProgress<TrainingReport>? progress = null, ILogger? logger = null, ICollective? ranks = null)
        : this(
            (model ?? throw new ArgumentNullException(nameof(model))).Transformer, model, options, trainLists, heldOutLists,
            sourceWeights: null, directory, progress, logger, ranks)
    {
    }

    /// <summary>
    /// Freezes what the options say is not trained, and adds the adapters that they ask for, unless the model has some. Without such options
    /// nothing is changed.
    /// </summary>
    internal static void ChooseTrained(RewardTransformer model, TrainingOptions options)
    {
        if (options.UnfrozenLayers is { } trained)
            model.Freeze(trained);
        if (options.FreezeEmbeddings)
            model.FreezeEmbeddings();
        if (options.Lora is { } lora && model.Adapter is null)
            model.AddAdapter(lora, options.Seed);
    }

    /// <summary>
    /// Called when the run begins or goes on, with the steps taken before and what it depends on: nothing is refused any more.
    /// </summary>
    internal Action<int, RunFingerprint>? Started { get; init; }

    /// <summary>The lists, without those that the loss does not apply to.</summary>
    internal TrainingLists Lists => lists;

    /// <summary>The loss.</summary>
    internal RankingLoss Loss => loss;

    /// <summary>Number of optimiser steps of the whole run.</summary>
    public int StepCount { get; }

    /// <summary>Peak learning rate: that of the options, or the default.</summary>
    public double LearningRate { get; }

    /// <summary>Trains to the end.</summary>
    /// <param name="resume">True: resumes from the newest state in the run's directory, if there is one.</param>
    /// <param name="cancellation">When cancelled, the state is saved after the current step, and the call ends.</param>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient is not finite; the weights are those from before that step.
    /// </exception>
    /// <exception cref="RunDirectoryException">
    /// The directory holds a run with other options, data, model, rule or tokenizer, or another process is writing to it.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public TrainingResult Train(bool resume = false, CancellationToken cancellation = default)
    {
        using var trained = new Holder();
        TrainingResult result;
        try
        {
            result = TrainOnly(trained, resume, cancellation);
        }
        // All ranks end so together, and their models have the weights that they had reached.
        catch (Exception exception) when (exception is OperationCanceledException or TrainingDivergedException)
        {
            trained.Weights?.GiveBack();
            throw;
        }
        trained.Weights!.GiveBack();
        result = result with { Diagnoses = RunDiagnoses.Of(new RunFacts { Evaluations = evaluations }) };
        RunDiagnoses.Log(result.Diagnoses, logger);
        return result;
    }

    /// <summary>
    /// The same without diagnoses, for a run that has all its steps on record. Where ranks share the weights they still do.
    /// </summary>
    internal TrainingResult TrainOnly(Holder holder, bool resume, CancellationToken cancellation)
    {
        using var directoryLock = IsFirstRank ? directory?.Lock() : null;
        using var activity = TrainingTelemetry.StartRun();
        // What the model scores afterwards has to be what it scores when it is saved and loaded again.
        var precision = model.Precision;
        model.Precision = options.Precision;
        hasAdded |= options.Lora is not null && model.Adapter is null;
        ChooseTrained(model, options);
        try
        {
            return Run(holder, resume, cancellation);
        }
        finally
        {
            model.Precision = precision;
            if (hasAdded && !hasStarted)
            {
                holder.Dispose();
                model.RemoveAdapter();
                hasAdded = false;
            }
            TensorMemory.ReleaseFree();
        }
    }

    private bool IsFirstRank => ranks.Rank == 0;

    private TrainingResult Run(Holder holder, bool resume, CancellationToken cancellation)
    {
        var saveInterval = options.SaveInterval ?? Math.Max(1, StepCount / 10);
        LogStart();

        // Before the fingerprint, which has the rule that the model is saved with.
        savedAs?.RememberTraining(lists.ChatCount, lists.TextCount);
        if (savedAs is not null && lists.ChatCount > 0 && lists.TextCount > 0)
            logger.LogWarning(
                "{Chats} training lists are conversations and {Texts} are plain text: prompts of plain text will be scored without the chat "
                + "template", lists.ChatCount, lists.TextCount);

        var fingerprint = RunFingerprint.Of(options.OfEveryStep(), StepCount, lists.Train, lists.HeldOut, model, savedAs, lists.SourceWeights, ranks.Size);
        RankAgreement.Check(ranks, fingerprint, options);
        model.zero_grad();
        var rates = LearningRates.Of(model, options, LearningRate);
        var arePending = model.Pending is not null;
        var trained = holder.Weights = new TrainedWeights(model, ranks, options.Shard, options.OffloadOptimizer, options.Optimizer);
        using var optimizer = options.CreateOptimizer(trained.Parts, rates);
        using var average = options.Ema is { } decay ? new MovingAverage(trained.Parts, decay) : null;
        using var bestWeights = new BestWeights(trained, options.BestBy, directory);
        using var evaluatedWeights = options.AverageLast is { } count ? new EvaluatedWeights(trained, count, directory) : null;
        var state = new TrainerState();
        var isRestored = resume && directory is not null && directory.TryRestore(fingerprint, trained, optimizer, logger, out state, average);
        // Others were checked where they were read.
        if ((isRestored || arePending) && trained.NotFinite(optimizer.State().Concat(average?.State() ?? [])) is { Count: > 0 } names)
            throw isRestored
                ? (Exception)new RunDirectoryException(
                    $"The saved state of step {state.Step} has numbers that are not finite: {WeightLoading.NamesText(names)}. "
                    + "Start the run anew, with a lower learning rate if it diverged.")
                : new CheckpointException(
                    model.BaseDirectory ?? "the model", [$"weights are not finite: {WeightLoading.NamesText(names)}"], WeightLoading.DamagedAdvice);
        if (isRestored)
        {
            trained.Publish();
            logger.LogInformation("Resumed after step {Step} of {Steps}", state.Step, StepCount);
        }
        else if (directory is not null)
            ranks.FirstDoes(directory.Begin);
        evaluations.Clear();
        if (state.BestEvaluation is { } kept)
            evaluations.Add(kept);
        if (IsFirstRank)
            directory?.WriteFingerprint(fingerprint);
        hasStarted = true;
        // From here on no directory has the weights of a model that is trained itself.
        if (model.Adapter is null)
            model.BaseDirectory = null;
        Started?.Invoke(state.Step, fingerprint);

        // Runs during steps only: the time left is that of steps.
        var clock = new Stopwatch();
        for (var firstStep = state.Step; ; state.Step++)
        {
            // A restored state was evaluated and saved before it was written.
            var isDone = state.Step >= StepCount || IsStoppedEarly(state);
            var isNew = !(isRestored && state.Step == firstStep);
            if (lists.HeldOut.Count > 0 && (isNew ? isDone || state.Step % evaluationInterval == 0 : isDone && !WasEvaluated(state)))
            {
                if (state.Step > 0)
                    CheckWeights(state, trained, optimizer, average);
                Evaluate(state, trained, bestWeights, average, evaluatedWeights);
                isDone |= IsStoppedEarly(state);
            }
            var isCancelled = ranks.IsAny(cancellation.IsCancellationRequested, "whether the run is cancelled");
            if (isNew && (isDone || isCancelled || (state.Step > 0 && state.Step % saveInterval == 0)))
            {
                CheckWeights(state, trained, optimizer, average);
                directory?.Save(fingerprint, state, trained, optimizer, average);
            }
            if (isCancelled)
                throw new OperationCanceledException(cancellation);
            if (isDone)
                break;
            TakeStep(state, trained, optimizer, clock, firstStep);
            average?.Update(state.Step + 1);
        }

        average?.CopyToParameters();
        trained.Publish();
        var averageEvaluation = evaluatedWeights is null ? null : EvaluateMean(state, trained, bestWeights, evaluatedWeights);
        var best = averageEvaluation is { IsBest: true } ? averageEvaluation : state.BestEvaluation;
        if (best?.Step < state.Step)
            bestWeights.Restore(best.Step);
        CheckWeights(state, trained, optimizer, average: null);
        var result = new TrainingResult(
            state.Step, state.TokensSeen, state.LastEvaluation, best, StoppedEarly: state.Step < StepCount)
        {
            AverageEvaluation = averageEvaluation,
        };
        return result;
    }

    /// <summary>The levels of the training lists' scores, where there are to be any.</summary>
    private double[]? LevelsOf(IReadOnlyList<TokenizedList> trainLists)
    {
        if (options.Pointwise != PointwiseLoss.Levels)
            return null;
        double[] levels = [.. Enumerable.Range(0, trainLists.Count).SelectMany(trainLists.ScoresOf).Distinct().Order()];
        return levels.Length is >= 2 and <= RankingLoss.MaxLevelCount
            ? levels
            : throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.Pointwise))} is levels, and the scores of the training lists have "
                + $"{Counted.Of(levels.Length, "different value")}; expected 2 to {RankingLoss.MaxLevelCount}. Round the scores to as many levels, "
                + "or use regression.",
                nameof(trainLists));
    }

    private static void CheckLabels(IReadOnlyList<IReadOnlyList<TokenizedList>> sets)
    {
        foreach (var lists in sets)
            for (var l = 0; l < lists.Count; l++)
                if (lists.ScoresOf(l).Any(score => score is < 0 or > 1))
                    throw new ArgumentException(
                        $"{TrainingOptions.NameOf(nameof(options.Pointwise))} is logistic, and a score at {lists.SourceOf(l)} is "
                        + $"{lists.ScoresOf(l).First(score => score is < 0 or > 1)}; expected labels from 0 (wrong) to 1 (right). Scale the scores "
                        + "(--score-from, --query), or use regression.");
    }

    /// <summary>The head has an output for each attribute that is trained on, and answers are rated by it.</summary>
    private void CheckAttributes(IReadOnlyList<TokenizedList> trainLists)
    {
        // The squared error of a larger one would not be finite.
        const double mostRating = 1e15;
        var names = model.Outputs.Names;
        var name = $"{TrainingOptions.NameOf(nameof(options.Pointwise))} is attributes";
        var counts = new Dictionary<string, long>();
        for (var l = 0; l < trainLists.Count; l++)
            if (trainLists.InfoOf(l).Has(ListFlags.Attributes))
                foreach (var (attribute, value) in trainLists[l].Attributes!.SelectMany(ofAnswer => ofAnswer))
                    counts[attribute] = Math.Abs(value) <= mostRating
                        ? counts.GetValueOrDefault(attribute) + 1
                        : throw new ArgumentException(FormattableString.Invariant(
                            $"The attribute '{attribute}' at {trainLists.SourceOf(l)} is {value}; expected a number from {-mostRating} to {mostRating}."));
        var found = counts.Count == 0 ? "none" : string.Join(", ", counts.Keys.Order(StringComparer.Ordinal));
        if (names.Count == 1)
            throw new ArgumentException(
                $"{name}, and the model's head has one output; expected one for each attribute. Name them and what they count in a reward "
                + $"(--output-weights NAME=X,NAME=X); the training lists' attributes are: {found}. For scores of one kind use regression.");
        if (!names.Any(counts.ContainsKey))
            throw new ArgumentException(
                $"{name}, and no answer of the training lists has an attribute that an output of the model is called by; expected some of "
                + $"{string.Join(", ", names)}. The training lists' attributes are: {found}.", nameof(trainLists));
        foreach (var unrated in names.Where(output => !counts.ContainsKey(output)))
            logger.LogWarning(
                "No answer of the training lists has the attribute {Attribute}: its output has no loss but that of rewards", unrated);
        foreach (var unused in counts.Keys.Except(names))
            logger.LogWarning(
                "The model has no output for the attribute {Attribute}: {Count:N0} ratings by it are not trained on", unused, counts[unused]);
        logger.LogInformation(
            "Outputs of the head: {Outputs}",
            string.Join(", ", names.Zip(model.Outputs.Weights, (output, weight) => FormattableString.Invariant(
                $"{output} (counts {weight}, {counts.GetValueOrDefault(output):N0} ratings)"))));
    }

    /// <summary>The schedule of the run, whose steps are known.</summary>
    private LearningRateSchedule ScheduleOf(TrainingOptions options)
    {
        // Rounded up as transformers does, but for a run that would have no step of any use.
        var warmup = options.WarmupSteps ?? (int)Math.Min(StepCount - 1, Math.Ceiling(options.WarmupRatio!.Value * StepCount));
        if (warmup >= StepCount)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.WarmupSteps))} is {warmup}; "
                + $"expected fewer than the run's {Counted.Of(StepCount, "step")}.");
        if (options.Schedule != ScheduleKind.Wsd)
            return new LearningRateSchedule(options.Schedule, LearningRate, warmup, StepCount, options.FinalLearningRateRatio!.Value);
        var cooldown = options.CooldownSteps ?? Math.Min(StepCount - warmup, (StepCount - 1) / 10 + 1);
        return warmup + (long)cooldown <= StepCount
            ? new LearningRateSchedule(options.Schedule, LearningRate, warmup, StepCount, options.FinalLearningRateRatio!.Value, cooldown)
            : throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.CooldownSteps))} is {cooldown}; expected at most {StepCount - warmup}, as the run has "
                + $"{Counted.Of(StepCount, "step")}, {warmup} of them warm-up.");
    }

    private void CheckAdapter()
    {
        if (options.Lora is { } lora && model.Adapter is { } own)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.LoraRank))} is {lora.Rank}; the model has an adapter of rank {own.Rank} already, which "
                + "would be trained further. Leave the option out, or merge that adapter first (reward-model export --merge, MergeAdapter).");
        if (options.UnfrozenLayers is { } trained && model.Adapter is not null)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.UnfrozenLayers))} is {trained}; the model has an adapter, beside which no layer is "
                + "trained. Leave the option out, or merge the adapter first (reward-model export --merge, MergeAdapter).");
        if (options.FreezeEmbeddings && model.Adapter is not null)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.FreezeEmbeddings))} is true; the model has an adapter, beside which the embeddings are "
                + "frozen in any case. Leave the option out.");
        if (options.Lora is { } asked)
            ModelAdapter.LayersFor(model, asked);
    }

    private static bool WasEvaluated(TrainerState state) => state.LastEvaluation?.Step == state.Step;

    private bool IsStoppedEarly(TrainerState state) =>
        options.EarlyStopPatience > 0 && state.EvaluationsSinceBest >= options.EarlyStopPatience;

    private void TakeStep(TrainerState state, TrainedWeights trained, Optimizer optimizer, Stopwatch clock, int firstStep)
    {
        var start = clock.Elapsed;
        clock.Start();
        model.train();
        var stepLists = lists.OfStep(state.Step);
        var (terms, accuracy, gradientNorm, rankSeconds) = new StepGradients(model, trained, loss, options, damaged)
            .Add(stepLists, state.Step, optimizer.SquaredGradientNorm);
        var learningRate = schedule.At(state.Step);
        optimizer.Step(learningRate, ClippingFactor(gradientNorm));
        damaged = [.. optimizer.Damaged];
        // Ranks tell each other with what they tell of the next step, or before weights are evaluated or saved.
        if (ranks.Size == 1 && damaged.Length > 0)
            throw Diverged(state.Step + 1, damaged);
        trained.Publish();
        trained.ClearGradients();

        clock.Stop();
        long tokens = stepLists.Sum(lists.TokensOf);
        state.TokensSeen += tokens;
        var stepsTaken = state.Step + 1;
        Report(new StepReport(
            stepsTaken, StepCount, lists.EpochsAfter(stepsTaken), terms.Sum(), accuracy, learningRate, gradientNorm,
            tokens, state.TokensSeen, tokens / (clock.Elapsed - start).TotalSeconds,
            clock.Elapsed / (stepsTaken - firstStep) * (StepCount - stepsTaken))
        {
            RankSeconds = ranks.Size > 1 && model.Device.type == TorchSharp.DeviceType.CPU ? rankSeconds : null,
            LossTerms = terms.Length > 1 ? loss.TermNames.Zip(terms).ToDictionary(term => term.First, term => term.Second) : null,
        });
    }

    private double ClippingFactor(double gradientNorm) =>
        // 1e-6 as in torch.nn.utils.clip_grad_norm_.
        options.MaxGradientNorm > 0 ? Math.Min(1, options.MaxGradientNorm / (gradientNorm + 1e-6)) : 1;

    private void Evaluate(
        TrainerState state, TrainedWeights trained, BestWeights bestWeights, MovingAverage? average, EvaluatedWeights? evaluatedWeights)
    {
        // The average is evaluated and kept, and the run goes on with the weights themselves.
        Exchange();
        var metrics = Measure(state, trained);
        var isBest = bestWeights.IsBetter(metrics, state.BestEvaluation?.Metrics);
        var report = new EvaluationReport(state.Step, metrics, isBest);
        state.LastEvaluation = report;
        state.EvaluationsSinceBest = isBest ? 0 : state.EvaluationsSinceBest + 1;
        if (isBest)
        {
            state.BestEvaluation = report;
            bestWeights.Keep(state.Step);
        }
        evaluatedWeights?.Keep(state.Step);
        Exchange();
        Report(report);

        void Exchange()
        {
            if (average is null)
                return;
            average.Exchange();
            trained.Publish();
        }
    }

    /// <summary>
    /// Evaluates the mean of the weights of the last evaluations. It is no part of the run's state, so that a run that is continued is that
    /// of more steps.
    /// </summary>
    /// <returns>The evaluation: if it is the best, the model has these weights, else those of the last step.</returns>
    private EvaluationReport EvaluateMean(
        TrainerState state, TrainedWeights trained, BestWeights bestWeights, EvaluatedWeights evaluatedWeights)
    {
        var steps = evaluatedWeights.Steps;
        evaluatedWeights.CopyMeanToModel(steps);
        var metrics = Measure(state, trained);
        var best = state.BestEvaluation!;
        var report = new EvaluationReport(state.Step, metrics, bestWeights.IsBetter(metrics, best.Metrics)) { AverageOf = steps };
        if (!report.IsBest)
            evaluatedWeights.CopyMeanToModel([state.Step]);
        logger.LogInformation(
            "Average of the weights of steps {Steps}: held-out accuracy {Accuracy:F4}, loss {Loss:F4}; weights of step {Step}: "
            + "{BestAccuracy:F4}, {BestLoss:F4}. By --best-by {BestBy}, {Kept} kept",
            string.Join(", ", steps), metrics.Accuracy, metrics.Loss, best.Step, best.Metrics.Accuracy, best.Metrics.Loss,
            options.BestBy.ToString().ToLowerInvariant(), report.IsBest ? "the average is" : "the latter are");
        Report(report);
        return report;
    }

    private RankingMetrics Measure(TrainerState state, TrainedWeights trained)
    {
        var scoring = PhaseProgress<ListProgress>.Of(progress, TrainingPhase.Evaluating, state.Step, done => (done.DoneCount, done.TotalCount));
        var (rewards, outputs) = SharedScoring.Score(
            new RewardScorer(model, options.MaxTokensPerBatch), trained, lists.HeldOut, scoring, CancellationToken.None);
        if (!rewards.All(list => list.All(float.IsFinite)))
            throw new TrainingDivergedException(
                state.Step, "a reward of a held-out list is not finite", "The newest saved state is from before this step.",
                lists.HeldOut.Where((_, l) => !rewards[l].All(float.IsFinite)).Select(list => list.Source.ToString()));
        var metrics = new RankingMetricsAccumulator(loss, model.Outputs.Names);
        foreach (var (l, list) in lists.HeldOut.Index())
            metrics.Add(rewards[l], RankingList.Of(list), list.PromptIds, outputs?[l]);
        return metrics.Result;
    }

    private void Report(TrainingReport report)
    {
        TrainingTelemetry.Record(report);
        if (report is EvaluationReport evaluation)
            evaluations.Add(evaluation);
        progress?.Report(report);
    }

    /// <summary>
    /// Weights that are not finite are never evaluated or saved, nor with moments or an average that are not: a step's loss and gradient are
    /// those from before its update.
    /// </summary>
    private void CheckWeights(TrainerState state, TrainedWeights trained, Optimizer optimizer, MovingAverage? average)
    {
        if (trained.NotFinite(optimizer.State().Concat(average?.State() ?? [])) is { Count: > 0 } names)
            throw Diverged(state.Step, names);
    }

    private TrainingDivergedException Diverged(int step, IReadOnlyCollection<string> names) => TrainingDivergedException.OfWeights(
        step, names, step == 0 ? [] : lists.OfStep(step - 1).Select(list => list.Source.ToString()));

    private void LogStart()
    {
        if (Bfloat16Support.Resolve(options.Precision, model.Device.type) != options.Precision)
            logger.LogWarning(
                "This processor has no bfloat16 instructions (AVX512_BF16 or AMX), without which bfloat16 is many times slower: matrix "
                + "products are computed in float32");
        if (model.ModelAdapter is { } adapter)
            logger.LogInformation(
                "An adapter of rank {Rank} in {Layers}: {Trained:N0} trained parameters beside {Frozen:N0} frozen ones",
                adapter.Options.Rank, Counted.Of(adapter.Layers.Count, "layer"),
                model.TrainedParameters.Sum(pair => pair.Parameter.numel()),
                model.CheckpointParameters.Where(pair => !pair.Parameter.requires_grad).Sum(pair => pair.Parameter.numel()));
        logger.LogInformation(
            "{Lists}, {Answers}, {HeldOut}; {Steps} of {StepSize} ({StepsPerEpoch} per epoch); evaluation every {Evaluation}",
            Counted.Of(lists.Train.Count, "training list"), Counted.Of(lists.AnswerCount, "answer"),
            Counted.Of(lists.HeldOut.Count, "held-out list"), Counted.Of(StepCount, "step"),
            options.ListsPerStep is { } listsPerStep ? Counted.Of(listsPerStep, "list") : $"{Counted.Of(options.TokensPerStep!.Value, "token")} or more",
            lists.StepsPerEpoch, Counted.Of(evaluationInterval, "step"));
    }

    /// <summary>The weights of a run, which its caller disposes of when it needs them no more.</summary>
    internal sealed class Holder : IDisposable
    {
        public TrainedWeights? Weights { get; set; }

        public void Dispose() => Weights?.Dispose();
    }
}
