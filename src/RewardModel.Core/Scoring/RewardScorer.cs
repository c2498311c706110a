using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// Scores token ids: the one path that <see cref="ScoringModel"/>, evaluation, the command line and services go through. A reward depends
/// on nothing but the prompt, the answer and the model: not on the other answers, nor on how they are divided into batches, which changes
/// rounding only; the order of the answers doesn't change even that. (A prompt that is too long for the model is cut before, for each answer
/// by itself.) Answers of a list that are equal token for token are scored once, and have the same reward to the bit.
/// </summary>
/// <remarks>
/// Any number of threads may score one model at the same time, through one scorer or several, if it is in evaluation mode: a model of
/// <see cref="ScoringModel.Load"/> is, another one after <c>model.eval()</c>. One in training mode can be scored by one thread only.
/// Meanwhile nothing else may be done to the model: not trained, moved, disposed of, or given another mode,
/// <see cref="RewardTransformer.Precision"/> or other weights.
/// </remarks>
public sealed class RewardScorer
{
    /// <summary>Default maximum number of tokens in a batch: 8192.</summary>
    public const int DefaultMaxTokensPerBatch = 8192;

    private readonly RewardTransformer model;
    private readonly int maxTokensPerBatch;
    private readonly RewardNormalizer? normalizer;
    private readonly PromptCache? cache;

    /// <param name="model">
    /// The reward model, which stays the caller's: scored in evaluation mode, and put back into the mode it had.
    /// </param>
    /// <param name="maxTokensPerBatch">Maximum number of tokens in a batch, a shared prompt counted once: bounds memory.</param>
    /// <param name="normalizer">Applied to every reward; null: raw rewards.</param>
    /// <param name="cache">Where prompts' keys and values are looked up and kept; null: every prompt is computed. The caller's.</param>
    /// <exception cref="ArgumentNullException">The model is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The most tokens of a batch are below 1.</exception>
    public RewardScorer(
        RewardTransformer model, int maxTokensPerBatch = DefaultMaxTokensPerBatch, RewardNormalizer? normalizer = null,
        PromptCache? cache = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokensPerBatch, 1);
        (this.model, this.maxTokensPerBatch, this.normalizer, this.cache) = (model, maxTokensPerBatch, normalizer, cache);
    }

    /// <summary>Scores tokenised lists.</summary>
    /// <param name="lists">Any number of lists; their scores are ignored.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>Per list, one reward for each of its answers, in their order.</returns>
    /// <exception cref="ArgumentNullException">The lists or one of them is null.</exception>
    /// <exception cref="ArgumentException">A list is too long for the model, or has a token id that is not in its vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model or the cache has been disposed of.</exception>
    /// <exception cref="InvalidOperationException">The cache has prompts of another model.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="NotFiniteRewardException">A reward is infinite or not a number.</exception>
    public float[][] Score(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var rewards = ScoreUnchecked(lists, progress, cancellationToken);
        CheckFinite(lists, rewards);
        return rewards;
    }

    /// <summary>
    /// What the outputs of the head give: the numbers of which a reward is the sum that <see cref="RewardTransformer.Outputs"/> says,
    /// before the normaliser.
    /// </summary>
    /// <returns>Per list, for each of its answers in their order, one number for each output.</returns>
    /// <inheritdoc cref="Score"/>
    public float[][][] ScoreOutputs(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default) =>
        ScoreWithOutputs(lists, progress, cancellationToken).Outputs;

    /// <summary>The rewards that <see cref="Score"/> gives, and the outputs that they are of.</summary>
    internal (float[][] Rewards, float[][][] Outputs) ScoreWithOutputs(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress, CancellationToken cancellationToken)
    {
        var byOutput = ScoreNumbers(lists, model.OutputsOf, model.Outputs.Weights.Count, progress, cancellationToken);
        float[][][] outputs =
        [
            .. lists.Select((list, l) => list.AnswerIds.Select((_, k) => Array.ConvertAll(byOutput, output => output[l][k])).ToArray()),
        ];
        var rewards = Array.ConvertAll(outputs, list => Array.ConvertAll(list, ofAnswer => Normalized(model.Outputs.RewardOf(ofAnswer))));
        CheckFinite(lists, rewards);
        return (rewards, outputs);
    }

    private void CheckFinite(IReadOnlyList<TokenizedList> lists, float[][] rewards)
    {
        for (var l = 0; l < rewards.Length; l++)
            if (Array.FindIndex(rewards[l], reward => !float.IsFinite(reward)) is >= 0 and var k)
                throw new NotFiniteRewardException(
                    rewards[l][k], k + 1,
                    $"list {l + 1} ({lists[l].Source.ToString().Trim('(', ')')})",
                    model.BaseDirectory is { } directory ? $"the model of '{directory}'" : "the model");
    }

    private float Normalized(float reward) => normalizer?.Apply(reward) ?? reward;

    /// <summary>The same, whatever the rewards are: for training, which says of which step they are, on all ranks alike.</summary>
    internal float[][] ScoreUnchecked(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var rewards = ScoreNumbers(lists, model.call, count: 1, progress, cancellationToken)[0];
        return normalizer is null ? rewards : Array.ConvertAll(rewards, list => Array.ConvertAll(list, normalizer.Apply));
    }

    /// <summary>Some numbers of each answer: for each of them, per list, that of each answer.</summary>
    /// <param name="lists">The lists.</param>
    /// <param name="compute">Computes them of a batch, [N] or [N, count].</param>
    /// <param name="count">How many numbers an answer has.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    private float[][][] ScoreNumbers(
        IReadOnlyList<TokenizedList> lists, Func<PackedSequences, Tensor> compute, int count, IProgress<ListProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lists);
        for (var i = 0; i < lists.Count; i++)
            if (lists[i] is null)
                throw new ArgumentNullException(nameof(lists), $"List {i + 1} of {lists.Count} is null; expected a list.");
        model.ThrowIfDisposed();
        using var activity = ScoringTelemetry.Start(ScoringTelemetry.ScoreActivity);
        if (activity is { IsAllDataRequested: true })
            activity.SetTag(ScoringTelemetry.DeviceTag, ScoringTelemetry.NameOf(model.Device.type))
                .SetTag(ScoringTelemetry.ListTag, lists.Count)
                .SetTag(ScoringTelemetry.AnswerTag, lists.Sum(list => list.AnswerIds.Count));
        return ScoringTelemetry.Within(
            activity, () => ScoreBatches(lists, batch => ScoreBatch(batch, compute, count, cancellationToken), count, progress));
    }

    private float[][][] ScoreBatches(
        IReadOnlyList<TokenizedList> lists, Func<IReadOnlyList<TokenizedList>, float[][][]> scoreBatch, int count,
        IProgress<ListProgress>? progress)
    {
        var wasTraining = model.training;
        // A mode that is right is left alone: other threads may be scoring the model.
        if (wasTraining)
            model.eval();
        try
        {
            using var _ = no_grad();
            var shared = model.SharesPrompts ? new SharedPrompts(lists) : null;
            var distinct = new DistinctAnswers(shared?.Lists ?? lists, areSorted: true);
            var allCount = lists.Count;
            lists = distinct.Lists;
            float[][][] results = [.. Enumerable.Range(0, count).Select(_ => new float[lists.Count][])];
            var doneCount = 0;
            foreach (var batch in TokenBudget.Batches(lists, maxTokensPerBatch, model.Backbone.IsCausal))
            {
                if (batch.Length == 1)
                {
                    float[][][][] parts =
                    [
                        .. TokenBudget.SplitAnswers(lists[batch[0]], maxTokensPerBatch, model.Backbone.IsCausal).Select(part => scoreBatch([part])),
                    ];
                    for (var number = 0; number < count; number++)
                        results[number][batch[0]] = [.. parts.SelectMany(part => part[number][0])];
                }
                else
                {
                    var ofBatch = scoreBatch([.. batch.Select(index => lists[index])]);
                    for (var number = 0; number < count; number++)
                        for (var i = 0; i < batch.Length; i++)
                            results[number][batch[i]] = ofBatch[number][i];
                }
                doneCount += shared is null ? batch.Length : batch.Sum(shared.CountOf);
                progress?.Report(new ListProgress(doneCount, allCount));
            }
            return Array.ConvertAll(results, ofNumber =>
            {
                var all = distinct.RewardsOfAll(ofNumber);
                return shared?.RewardsOfAll(all) ?? all;
            });
        }
        finally
        {
            if (wasTraining)
                model.train();
        }
    }

    private float[][][] ScoreBatch(
        IReadOnlyList<TokenizedList> lists, Func<PackedSequences, Tensor> compute, int count, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var start = ScoringTelemetry.StartBatch();
        using var scope = NewDisposeScope();
        using var sequences = model.Pack(lists, cache);
        var numbers_CN = compute(sequences).view(-1, count).t().contiguous();
        float[][][] results = [.. numbers_CN.unbind(0).Select(numbers_N => RewardsByList(numbers_N, lists))];
        sequences.Prompts?.Keep();
        ScoringTelemetry.EndBatch(
            start, sequences.ScoredSegments.Count, sequences.TokenCount, sequences.Prompts?.KnownCount ?? 0, sequences.Device.type);
        return results;
    }

    /// <summary>Rewards as they come out of the model, divided into those of each list.</summary>
    /// <param name="rewards">[N], float32, without a graph, on any device: the one place where rewards are read back.</param>
    /// <param name="lists">The lists that were packed, N answers in all.</param>
    /// <exception cref="ArgumentNullException">The rewards or the lists are null.</exception>
    internal static float[][] RewardsByList(Tensor rewards, IReadOnlyList<TokenizedList> lists)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(lists);
        using var values = rewards.cpu();
        using var accessor = values.data<float>();
        var all = accessor.ToArray();
        var byList = new float[lists.Count][];
        for (int l = 0, first = 0; l < lists.Count; first += lists[l].AnswerIds.Count, l++)
            byList[l] = all[first..(first + lists[l].AnswerIds.Count)];
        return byList;
    }
}
