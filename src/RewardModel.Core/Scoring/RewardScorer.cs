using RewardModel.Layers;
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

    /// <summary>How many outputs the model's head has.</summary>
    internal int OutputCount => model.Outputs.Weights.Count;

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
        var rewards = ScoreNumbers(lists, ScoreAnswersOf, count: 1, progress, cancellationToken)[0];
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
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var outputs = OutputsOf(lists, progress, cancellationToken);
        CheckFinite(lists, RewardsOf(outputs));
        return outputs;
    }

    /// <summary>The rewards that <see cref="Score"/> gives, and the outputs that they are of, where there are several.</summary>
    internal ScoredAnswers ScoreWithOutputs(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress, CancellationToken cancellationToken)
    {
        var scored = ScoreUnchecked(lists, progress, cancellationToken);
        CheckFinite(lists, scored.Rewards);
        return scored;
    }

    private void CheckFinite(IReadOnlyList<TokenizedList> lists, float[][] rewards)
    {
        for (var l = 0; l < rewards.Length; l++)
            for (var k = 0; k < rewards[l].Length; k++)
                CheckFinite(rewards[l][k], lists[l], l, k);
    }

    /// <summary>
    /// Scores tokenised lists at every token of their answers, as the head reads a state: the reward of an answer's last token is the answer's,
    /// but for rounding. Of causal models, in which a token's reward depends on what stands before it alone; whether it means anything there is
    /// for training to say (docs/process-rewards.md). A prompt is computed once for all its answers, and no <see cref="PromptCache"/> is used.
    /// </summary>
    /// <param name="lists">Any number of lists; their scores are ignored.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>Per list and answer, one reward for each of the answer's token ids.</returns>
    /// <exception cref="ArgumentNullException">The lists or one of them is null.</exception>
    /// <exception cref="ArgumentException">
    /// The model is an encoder, a list is too long for it, or has a token id that is not in its vocabulary.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="NotFiniteRewardException">A reward is infinite or not a number.</exception>
    public float[][][] ScoreTokens(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lists);
        CheckCausal(model);
        var rewards = Score(
            lists,
            () =>
            {
                var shared = new SharedPrompts(lists, sharesBeginnings: false);
                return shared.RewardsOfAll(ScoreBatches(
                    shared.Lists, shared, lists.Count, prompts: null, ScoreTokensOf, progress, cancellationToken));
            });
        for (var l = 0; l < rewards.Length; l++)
            for (var k = 0; k < rewards[l].Length; k++)
                foreach (var reward in rewards[l][k])
                    CheckFinite(reward, lists[l], l, k);
        return rewards;
    }

    /// <exception cref="ArgumentException">The model is an encoder.</exception>
    internal static void CheckCausal(RewardTransformer model)
    {
        if (!model.SharesPrompts)
            throw new ArgumentException(
                $"This {model.Backbone.GetName()} is an encoder, which reads an answer as a whole and has one reward of it; expected a causal model "
                + "for rewards of tokens or steps.");
    }

    private void CheckFinite(float reward, TokenizedList list, int l, int k)
    {
        if (!float.IsFinite(reward))
            throw new NotFiniteRewardException(
                reward, k + 1,
                $"list {l + 1} ({list.Source.ToString().Trim('(', ')')})",
                model.BaseDirectory is { } directory ? $"the model of '{directory}'" : "the model");
    }

    private float Normalized(float reward) => normalizer?.Apply(reward) ?? reward;

    /// <summary>The same, whatever the rewards are: for training, which says of which step they are, on all ranks alike.</summary>
    internal ScoredAnswers ScoreUnchecked(
        IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (OutputCount == 1)
            return new ScoredAnswers(ScoreNumbers(lists, ScoreAnswersOf, count: 1, progress, cancellationToken)[0], Outputs: null);
        var outputs = OutputsOf(lists, progress, cancellationToken);
        return new ScoredAnswers(RewardsOf(outputs), outputs);
    }

    private float[][][] OutputsOf(IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress, CancellationToken cancellationToken)
    {
        var byOutput = ScoreNumbers(lists, ScoreOutputsOf, OutputCount, progress, cancellationToken);
        return
        [
            .. lists.Select((list, l) => list.AnswerIds.Select((_, k) => Array.ConvertAll(byOutput, output => output[l][k])).ToArray()),
        ];
    }

    private float[][] RewardsOf(float[][][] outputs) =>
        Array.ConvertAll(outputs, list => Array.ConvertAll(list, ofAnswer => Normalized(model.Outputs.RewardOf(ofAnswer))));

    /// <summary>Some numbers of each answer: for each of them, per list, that of each answer.</summary>
    /// <param name="lists">The lists.</param>
    /// <param name="numbersOf">Computes them of a batch: per list and answer.</param>
    /// <param name="count">How many numbers an answer has.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    private float[][][] ScoreNumbers(
        IReadOnlyList<TokenizedList> lists, Func<IReadOnlyList<TokenizedList>, PackedSequences, float[][][]> numbersOf, int count,
        IProgress<ListProgress>? progress, CancellationToken cancellationToken) => Score(lists, () =>
        {
            var shared = model.SharesPrompts ? new SharedPrompts(lists) : null;
            var distinct = new DistinctAnswers(shared?.Lists ?? lists, areSorted: true);
            var numbers = ScoreBatches(distinct.Lists, shared, lists.Count, cache, numbersOf, progress, cancellationToken);
            var results = new float[count][][];
            for (var number = 0; number < count; number++)
            {
                var all = distinct.RewardsOfAll(Array.ConvertAll(numbers, list => Array.ConvertAll(list, answer => answer[number])));
                results[number] = shared?.RewardsOfAll(all) ?? all;
            }
            return results;
        });

    private T Score<T>(IReadOnlyList<TokenizedList> lists, Func<T> score)
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
        return ScoringTelemetry.Within(activity, score);
    }

    private float[][][] ScoreBatches(
        IReadOnlyList<TokenizedList> lists, SharedPrompts? shared, int allCount, PromptCache? prompts,
        Func<IReadOnlyList<TokenizedList>, PackedSequences, float[][][]> rewardsOf, IProgress<ListProgress>? progress,
        CancellationToken cancellationToken)
    {
        var wasTraining = model.training;
        // A mode that is right is left alone: other threads may be scoring the model.
        if (wasTraining)
            model.eval();
        try
        {
            using var _ = no_grad();
            var rewards = new float[lists.Count][][];
            var doneCount = 0;
            foreach (var batch in TokenBudget.Batches(lists, maxTokensPerBatch, model.Backbone.IsCausal))
            {
                if (batch.Length == 1)
                {
                    var parts = TokenBudget.SplitAnswers(lists[batch[0]], maxTokensPerBatch, model.Backbone.IsCausal);
                    rewards[batch[0]] = [.. parts.SelectMany(part => ScoreBatch([part], prompts, rewardsOf, cancellationToken)[0])];
                }
                else
                {
                    var batchRewards = ScoreBatch([.. batch.Select(index => lists[index])], prompts, rewardsOf, cancellationToken);
                    for (var i = 0; i < batch.Length; i++)
                        rewards[batch[i]] = batchRewards[i];
                }
                doneCount += shared is null ? batch.Length : batch.Sum(shared.CountOf);
                progress?.Report(new ListProgress(doneCount, allCount));
            }
            return rewards;
        }
        finally
        {
            if (wasTraining)
                model.train();
        }
    }

    private float[][][] ScoreBatch(
        IReadOnlyList<TokenizedList> lists, PromptCache? prompts, Func<IReadOnlyList<TokenizedList>, PackedSequences, float[][][]> rewardsOf,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var start = ScoringTelemetry.StartBatch();
        using var scope = NewDisposeScope();
        using var sequences = model.Pack(lists, prompts);
        var rewards = rewardsOf(lists, sequences);
        sequences.Prompts?.Keep();
        ScoringTelemetry.EndBatch(
            start, sequences.ScoredSegments.Count, sequences.TokenCount, sequences.Prompts?.KnownCount ?? 0, sequences.Device.type);
        return rewards;
    }

    private float[][][] ScoreAnswersOf(IReadOnlyList<TokenizedList> lists, PackedSequences sequences) => Array.ConvertAll(
        RewardsByList(model.call(sequences), lists),
        list => Array.ConvertAll(list, reward => (float[])[normalizer is null ? reward : normalizer.Apply(reward)]));

    private float[][][] ScoreOutputsOf(IReadOnlyList<TokenizedList> lists, PackedSequences sequences)
    {
        using var pass = new ForwardPass(sequences);
        float[][][] byOutput = [.. model.OutputsOf(pass).t().contiguous().unbind(0).Select(output_N => RewardsByList(output_N, lists))];
        return [.. lists.Select((list, l) => list.AnswerIds.Select((_, k) => Array.ConvertAll(byOutput, output => output[l][k])).ToArray())];
    }

    private float[][][] ScoreTokensOf(IReadOnlyList<TokenizedList> lists, PackedSequences sequences)
    {
        using var pass = new ForwardPass(sequences);
        var all = new Queue<float>(ValuesOf(model.TokenRewards(pass)));
        return
        [
            .. lists.Select(list => list.AnswerIds.Select(ids => Enumerable.Range(0, ids.Length)
                .Select(_ => normalizer is null ? all.Dequeue() : normalizer.Apply(all.Dequeue())).ToArray()).ToArray()),
        ];
    }

    /// <summary>Rewards as they come out of the model, divided into those of each list.</summary>
    /// <param name="rewards">[N], float32, without a graph, on any device: the one place where rewards are read back.</param>
    /// <param name="lists">The lists that were packed, N answers in all.</param>
    /// <exception cref="ArgumentNullException">The rewards or the lists are null.</exception>
    internal static float[][] RewardsByList(Tensor rewards, IReadOnlyList<TokenizedList> lists)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(lists);
        var all = ValuesOf(rewards);
        var byList = new float[lists.Count][];
        for (int l = 0, first = 0; l < lists.Count; first += lists[l].AnswerIds.Count, l++)
            byList[l] = all[first..(first + lists[l].AnswerIds.Count)];
        return byList;
    }

    private static float[] ValuesOf(Tensor rewards)
    {
        using var values = rewards.cpu();
        using var accessor = values.data<float>();
        return accessor.ToArray();
    }
}
