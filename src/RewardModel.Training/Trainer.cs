using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Metrics;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

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
    private readonly RewardTransformer model;
    private readonly ScoringModel? savedAs;
    private readonly TrainingOptions options;
    private readonly IReadOnlyList<TokenizedList> trainLists;
    private readonly IReadOnlyList<TokenizedList> heldOutLists;
    private readonly RunDirectory? directory;
    private readonly IProgress<TrainingReport>? progress;
    private readonly ILogger logger;
    private readonly RankingLoss loss;
    private readonly LearningRateSchedule schedule;
    private readonly int stepsPerEpoch;
    private readonly int stepCount;

    /// <summary>The best weights so far, when there is no directory to keep them.</summary>
    private List<Tensor> bestWeights = [];

    /// <summary>Prepares a run; nothing is computed or written yet.</summary>
    /// <param name="model">The model to train. It ends with the best evaluated weights, or the last ones without held-out lists.</param>
    /// <param name="options">What to do.</param>
    /// <param name="trainLists">
    /// Lists to train on. Those without an ordered pair (one answer, or all tied) are left out, and counted in the log.
    /// </param>
    /// <param name="heldOutLists">Lists to evaluate on, with other prompts than the training lists; may be empty.</param>
    /// <param name="directory">Where states are saved and resumed from; null saves nothing.</param>
    /// <param name="progress">Told every step and every evaluation.</param>
    /// <param name="logger">Told what the run does at its start and its turns.</param>
    /// <exception cref="ArgumentException">
    /// An option is out of range, no list has a pair, or a list is longer than the model takes.
    /// </exception>
    public Trainer(
        RewardTransformer model, TrainingOptions options,
        IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        RunDirectory? directory = null, IProgress<TrainingReport>? progress = null, ILogger? logger = null)
    {
        options.Validate();
        this.model = model;
        this.options = options;
        this.heldOutLists = heldOutLists;
        this.directory = directory;
        this.progress = progress;
        this.logger = logger ?? NullLogger.Instance;
        this.logger.LogDebug("{Libraries}", TorchLibraries.Description);
        this.trainLists = [.. trainLists.Where(list => RankingPairs.CountOf(list.Scores) > 0)];
        if (this.trainLists.Count < trainLists.Count)
            this.logger.LogWarning(
                "{Count} of {All} training lists have no ordered pair (one answer, or all answers tied) and are left out",
                trainLists.Count - this.trainLists.Count, trainLists.Count);
        if (this.trainLists.Count == 0)
            throw new ArgumentException(
                $"None of the {trainLists.Count} training lists has an ordered pair; "
                + "expected lists of two or more answers that are not all tied.",
                nameof(trainLists));
        if (options.EarlyStopPatience > 0 && heldOutLists.Count == 0)
            throw new ArgumentException(
                $"{nameof(options.EarlyStopPatience)} is {options.EarlyStopPatience}, but there are no held-out lists to evaluate; "
                + "give some, or set it to 0.",
                nameof(options));

        if (heldOutLists.Count > 0 && heldOutLists.All(list => RankingPairs.CountOf(list.Scores) == 0))
            throw new ArgumentException(
                $"None of the {heldOutLists.Count} held-out lists has an ordered pair, so there is no accuracy to choose the best weights "
                + "by; give other lists, or none.",
                nameof(heldOutLists));
        CheckFit([.. this.trainLists, .. heldOutLists]);

        loss = RankingLoss.ByName(options.Loss);
        stepsPerEpoch = (this.trainLists.Count + options.ListsPerStep - 1) / options.ListsPerStep;
        stepCount = options.Steps ?? checked(options.Epochs * stepsPerEpoch);
        if (options.WarmupSteps >= stepCount)
            throw new ArgumentException(
                $"{nameof(options.WarmupSteps)} is {options.WarmupSteps}; expected fewer than the run's {stepCount} steps.",
                nameof(options));
        schedule = new LearningRateSchedule(
            options.Schedule, options.LearningRate, options.WarmupSteps, stepCount, options.FinalLearningRateRatio);
    }

    /// <summary>
    /// Prepares a run on the transformer of a model that <see cref="ScoringModel.Save"/> writes when it is trained. What it writes depends
    /// on the model's rule and tokenizer too, so a saved run is only resumed with the same ones.
    /// </summary>
    /// <inheritdoc cref="Trainer(
    ///     RewardTransformer, TrainingOptions, IReadOnlyList{TokenizedList}, IReadOnlyList{TokenizedList},
    ///     RunDirectory, IProgress{TrainingReport}, ILogger)"/>
    public Trainer(
        ScoringModel model, TrainingOptions options,
        IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        RunDirectory? directory = null, IProgress<TrainingReport>? progress = null, ILogger? logger = null)
        : this(model.Transformer, options, trainLists, heldOutLists, directory, progress, logger) => savedAs = model;

    /// <summary>Trains to the end.</summary>
    /// <param name="resume">True: goes on from the newest state in the run's directory, if it has one.</param>
    /// <param name="cancellation">When cancelled, the state is saved after the current step, and the call ends.</param>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient is not finite; the weights are those from before that step.
    /// </exception>
    /// <exception cref="RunDirectoryException">The directory holds a run with other options, data, model, rule or tokenizer.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public TrainingResult Train(bool resume = false, CancellationToken cancellation = default)
    {
        // What the model scores afterwards has to be what it scores when it is saved and loaded again.
        var precision = model.Precision;
        model.Precision = options.Precision;
        try
        {
            return Run(resume, cancellation);
        }
        finally
        {
            model.Precision = precision;
            TensorMemory.ReleaseFree();
        }
    }

    private TrainingResult Run(bool resume, CancellationToken cancellation)
    {
        using var optimizer = new AdamW(model.CheckpointParameters, options.Optimizer);
        var evaluationInterval = options.EvaluationInterval ?? Math.Max(1, stepCount / 10);
        var saveInterval = options.SaveInterval ?? Math.Max(1, stepCount / 10);
        var fingerprint = RunFingerprint.Of(options.ToJson(), stepCount, trainLists, heldOutLists, model, savedAs);
        if (Bfloat16Support.Resolve(options.Precision, model.Device.type) != options.Precision)
            logger.LogWarning(
                "This processor has no instructions for bfloat16 (AVX512_BF16 or AMX), without which it is many times slower: products are "
                + "computed in float32");
        logger.LogInformation(
            "{Lists} training lists, {Answers} answers, {HeldOut} held-out lists; "
            + "{Steps} steps of {ListsPerStep} lists ({StepsPerEpoch} an epoch); evaluation every {Evaluation} steps",
            trainLists.Count, trainLists.Sum(list => list.AnswerIds.Count), heldOutLists.Count,
            stepCount, options.ListsPerStep, stepsPerEpoch, evaluationInterval);

        model.zero_grad();
        var state = new TrainerState();
        var isRestored = resume && directory is not null && directory.TryRestore(fingerprint, model, optimizer, out state);
        if (isRestored)
            logger.LogInformation("Resumed after step {Step} of {Steps}", state.Step, stepCount);
        else if (directory is not null)
            directory.Begin();

        EvaluationReport? evaluation = state.LastEvaluation;
        // Runs during steps only: the time left is that of steps.
        var clock = new Stopwatch();
        for (var firstStep = state.Step; ; state.Step++)
        {
            // A restored state was evaluated and saved before it was written.
            var isDone = state.Step == stepCount || IsStoppedEarly(state);
            if (!(isRestored && state.Step == firstStep))
            {
                if (heldOutLists.Count > 0 && (isDone || state.Step % evaluationInterval == 0))
                {
                    evaluation = Evaluate(state);
                    isDone |= IsStoppedEarly(state);
                }
                if (isDone || cancellation.IsCancellationRequested || (state.Step > 0 && state.Step % saveInterval == 0))
                    directory?.Save(fingerprint, state, model, optimizer);
            }
            cancellation.ThrowIfCancellationRequested();
            if (isDone)
                break;
            TakeStep(state, optimizer, clock, firstStep);
        }

        if (state.BestEvaluation is { } best && best.Step < state.Step)
            RestoreBest(best.Step);
        DropBestWeights();
        return new TrainingResult(state.Step, state.TokensSeen, evaluation, state.BestEvaluation, state.Step < stepCount);
    }

    private bool IsStoppedEarly(TrainerState state) =>
        options.EarlyStopPatience > 0 && state.EvaluationsSinceBest >= options.EarlyStopPatience;

    private void TakeStep(TrainerState state, AdamW optimizer, Stopwatch clock, int firstStep)
    {
        var start = clock.Elapsed;
        clock.Start();
        model.train();
        var lists = ListsOf(state.Step);
        double divisor = options.LossNormalization == LossNormalization.PerList
            ? lists.Length
            : lists.Sum(list => RankingPairs.CountOf(list.Scores));
        var metrics = new RankingMetricsAccumulator(loss);
        double stepLoss = 0;
        // Draws of dropout belong to their step, not to what was drawn before: no generator's state is part of a run's.
        var seeds = new SplitMix64(SplitMix64.Mix((ulong)options.Seed) + (ulong)state.Step);
        foreach (var batch in TokenBudget.Batches(lists, options.MaxTokensPerBatch, model.Backbone.IsCausal))
        {
            TokenizedList[] batchLists = [.. batch.Select(index => lists[index])];
            var (batchLoss, rewards) = AccumulateGradients(batchLists, divisor, seeds.Next());
            if (!double.IsFinite(batchLoss))
                throw Diverged(state, $"the loss is {batchLoss}", batchLists);
            if (!AreFinite(rewards))
                throw Diverged(state, "a reward is not finite", batchLists);
            stepLoss += batchLoss;
            for (var l = 0; l < batchLists.Length; l++)
                metrics.Add(rewards[l], batchLists[l].Scores);
        }

        var gradientNorm = optimizer.GradientNorm();
        if (!double.IsFinite(gradientNorm))
            throw Diverged(state, $"the gradient norm is {gradientNorm}", lists);
        var learningRate = schedule.At(state.Step);
        optimizer.Step(learningRate, ClippingFactor(gradientNorm));
        model.zero_grad();

        clock.Stop();
        var tokens = lists.Sum(list => PackedSequences.CountTokens(list, model.Backbone.IsCausal));
        state.TokensSeen += tokens;
        var stepsTaken = state.Step + 1;
        progress?.Report(new StepReport(
            stepsTaken, stepCount, stepsTaken / (double)stepsPerEpoch, stepLoss, metrics.Result.Accuracy, learningRate, gradientNorm,
            state.TokensSeen, tokens / (clock.Elapsed - start).TotalSeconds,
            clock.Elapsed / (stepsTaken - firstStep) * (stepCount - stepsTaken)));
    }

    /// <summary>The lists of a step: epoch by epoch all lists, in an order drawn anew for each epoch.</summary>
    private TokenizedList[] ListsOf(int step)
    {
        var (epoch, stepOfEpoch) = Math.DivRem(step, stepsPerEpoch);
        var order = SplitMix64.Permutation(trainLists.Count, SplitMix64.Mix((ulong)options.Seed) + (ulong)epoch);
        return [.. order.Skip(stepOfEpoch * options.ListsPerStep).Take(options.ListsPerStep).Select(index => trainLists[index])];
    }

    /// <summary>Adds the gradient of sum(loss) / divisor to the parameters' gradients.</summary>
    private (double Loss, float[][] Rewards) AccumulateGradients(TokenizedList[] lists, double divisor, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var pairs = RankingPairs.Of(lists.Select(list => list.Scores), options.LossNormalization, model.Device);
        if (lists.Length == 1
            && TokenBudget.SplitAnswers(lists[0], options.MaxTokensPerBatch, model.Backbone.IsCausal) is { Count: > 1 } parts)
            return AccumulateInParts(parts, pairs, divisor, seed);
        using var sequences = model.Pack(lists);
        using var pass = Pass(sequences, seed);
        var rewards = model.forward(pass);
        var batchLoss = loss.Sum(rewards, pairs).div(divisor);
        pass.Backward(batchLoss);
        return (Read(batchLoss), RewardScorer.RewardsByList(rewards.detach(), lists));
    }

    /// <summary>
    /// The loss sees the model only through K rewards. So a list that is too long for one graph is scored without one, d loss / d reward
    /// is taken, and each part goes forward and backward with that: one forward pass more, and memory for one part only.
    /// </summary>
    private (double Loss, float[][] Rewards) AccumulateInParts(
        IReadOnlyList<TokenizedList> parts, RankingPairs pairs, double divisor, ulong seed)
    {
        var partRewards = new List<Tensor>();
        using (no_grad())
            for (var p = 0; p < parts.Count; p++)
            {
                using var sequences = model.Pack([parts[p]]);
                using var pass = Pass(sequences, SplitMix64.Mix(seed + (ulong)p));
                partRewards.Add(model.forward(pass));
            }

        var rewards = cat(partRewards).requires_grad_();
        var listLoss = loss.Sum(rewards, pairs).div(divisor);
        listLoss.backward();
        var rewardGradients = rewards.grad!.split([.. parts.Select(part => (long)part.AnswerIds.Count)]);

        for (var p = 0; p < parts.Count; p++)
        {
            using var scope = NewDisposeScope();
            using var sequences = model.Pack([parts[p]]);
            // Draws the same as in the first pass.
            using var pass = Pass(sequences, SplitMix64.Mix(seed + (ulong)p));
            pass.Backward(model.forward(pass), rewardGradients[p]);
        }
        // The parts' answers follow each other, as in the list.
        return (Read(listLoss), [[.. RewardScorer.RewardsByList(rewards.detach(), parts).SelectMany(part => part)]]);
    }

    /// <summary>Leaves torch's generators alone where nothing is drawn.</summary>
    private ForwardPass Pass(PackedSequences sequences, ulong seed) =>
        new(sequences, model.Dropout > 0 ? seed : null, options.ActivationCheckpointing);

    private static double Read(Tensor scalar) => scalar.detach().cpu().item<float>();

    private static bool AreFinite(float[][] rewards) => rewards.All(list => list.All(float.IsFinite));

    private double ClippingFactor(double gradientNorm) =>
        // 1e-6 as in torch.nn.utils.clip_grad_norm_.
        options.MaxGradientNorm > 0 ? Math.Min(1, options.MaxGradientNorm / (gradientNorm + 1e-6)) : 1;

    private TrainingDivergedException Diverged(TrainerState state, string what, IEnumerable<TokenizedList> lists)
    {
        model.zero_grad();
        return new TrainingDivergedException(
            state.Step + 1, what, "The weights have not been changed by this step.", lists.Select(list => list.Source.ToString()));
    }

    private EvaluationReport Evaluate(TrainerState state)
    {
        var rewards = new RewardScorer(model, options.MaxTokensPerBatch).Score(heldOutLists);
        if (!AreFinite(rewards))
            throw new TrainingDivergedException(
                state.Step, "a reward of a held-out list is not finite", "The newest saved state is from before this step.",
                heldOutLists.Where((_, l) => !AreFinite([rewards[l]])).Select(list => list.Source.ToString()));
        var metrics = new RankingMetricsAccumulator(loss);
        for (var l = 0; l < heldOutLists.Count; l++)
            metrics.Add(rewards[l], heldOutLists[l].Scores);
        var result = metrics.Result;

        var isBest = state.BestEvaluation is null || result.Accuracy > state.BestEvaluation.Metrics.Accuracy;
        var report = new EvaluationReport(state.Step, result, isBest);
        state.LastEvaluation = report;
        state.EvaluationsSinceBest = isBest ? 0 : state.EvaluationsSinceBest + 1;
        if (isBest)
        {
            state.BestEvaluation = report;
            KeepBest(state.Step);
        }
        progress?.Report(report);
        return report;
    }

    private void KeepBest(int step)
    {
        if (directory is not null)
        {
            directory.SaveBest(step, model);
            return;
        }
        using var _ = no_grad();
        DropBestWeights();
        bestWeights = [.. model.CheckpointParameters.Select(pair => pair.Parameter.clone().DetachFromDisposeScope())];
    }

    private void RestoreBest(int step)
    {
        if (directory is not null)
        {
            directory.RestoreBest(step, model);
            return;
        }
        using var _ = no_grad();
        foreach (var ((_, parameter), weight) in model.CheckpointParameters.Zip(bestWeights))
            parameter.copy_(weight);
    }

    private void DropBestWeights()
    {
        bestWeights.ForEach(weight => weight.Dispose());
        bestWeights = [];
    }

    /// <summary>Before anything is computed: all lists that the model can't take, at once.</summary>
    private void CheckFit(IReadOnlyList<TokenizedList> lists)
    {
        const int maxListed = 20;
        var backbone = model.Backbone;
        string? Problem(TokenizedList list)
        {
            var length = list.PromptIds.Length + list.AnswerIds.Max(ids => ids.Length);
            if (length > backbone.MaxPositions)
                return $"{list.Source} has {length} tokens";
            var wrong = list.AnswerIds.Prepend(list.PromptIds).SelectMany(ids => ids).Where(id => id < 0 || id >= backbone.VocabularySize);
            return wrong.Any() ? $"{list.Source} has the token id {wrong.First()}" : null;
        }
        string[] problems = [.. lists.Select(Problem).OfType<string>()];
        if (problems.Length > 0)
            throw new ArgumentException(
                $"{problems.Length} lists don't fit this {backbone.GetName()}, which takes at most {backbone.MaxPositions} tokens "
                + $"and ids from 0 to {backbone.VocabularySize - 1}: {string.Join("; ", problems.Take(maxListed))}"
                + $"{(problems.Length > maxListed ? "; ..." : "")}. "
                + "Cut the lists, or use the tokenizer that belongs to the model.");
    }
}
