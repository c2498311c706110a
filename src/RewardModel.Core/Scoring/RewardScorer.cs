using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// Scores answers: the one path that evaluation, the command line and services go through. A reward depends on nothing but the
/// prompt, the answer and the model: not on the other answers, nor on how they are divided into batches. (A prompt that is too long
/// for the model is cut before, for the longest of its answers.)
/// </summary>
/// <remarks>
/// Any number of threads may score one model at the same time, through one scorer or several, if it is in evaluation mode: a model of
/// <see cref="ScoringModel.Load"/> is, another one after <c>model.eval()</c>. One in training mode can be scored by one thread only.
/// Meanwhile nothing else may be done to the model: not trained, moved, disposed of, or given another mode,
/// <see cref="RewardTransformer.Precision"/> or other weights.
/// </remarks>
/// <param name="model">The reward model; scored in evaluation mode, and put back into the mode it had.</param>
/// <param name="maxTokensPerBatch">Most tokens that are computed at once, a shared prompt counted once: bounds memory.</param>
/// <param name="normalizer">Is applied to every reward; null: they stay as the model gives them.</param>
public sealed class RewardScorer(RewardTransformer model, int maxTokensPerBatch = 8192, RewardNormalizer? normalizer = null)
{
    /// <summary>Scores tokenised lists.</summary>
    /// <returns>Per list, one reward for each of its answers, in their order.</returns>
    public float[][] Score(IReadOnlyList<TokenizedList> lists)
    {
        var wasTraining = model.training;
        // A mode that is right is left alone: other threads may be scoring the model.
        if (wasTraining)
            model.eval();
        try
        {
            using var _ = no_grad();
            var rewards = new float[lists.Count][];
            foreach (var batch in TokenBudget.Batches(lists, maxTokensPerBatch, model.Backbone.IsCausal))
            {
                if (batch.Length == 1)
                {
                    var parts = TokenBudget.SplitAnswers(lists[batch[0]], maxTokensPerBatch, model.Backbone.IsCausal);
                    rewards[batch[0]] = [.. parts.SelectMany(part => ScoreBatch([part])[0])];
                    continue;
                }
                var batchRewards = ScoreBatch([.. batch.Select(index => lists[index])]);
                for (var i = 0; i < batch.Length; i++)
                    rewards[batch[i]] = batchRewards[i];
            }
            return rewards;
        }
        finally
        {
            if (wasTraining)
                model.train();
        }
    }

    private float[][] ScoreBatch(IReadOnlyList<TokenizedList> lists)
    {
        using var scope = NewDisposeScope();
        using var sequences = model.Pack(lists);
        var rewards = RewardsByList(model.call(sequences), lists);
        return normalizer is null ? rewards : [.. rewards.Select(list => Array.ConvertAll(list, normalizer.Apply))];
    }

    /// <summary>Rewards as they come out of the model, divided into those of each list.</summary>
    /// <param name="rewards">[N], float32, without a graph, on any device: the one place where rewards are read back.</param>
    /// <param name="lists">The lists that were packed, N answers in all.</param>
    internal static float[][] RewardsByList(Tensor rewards, IReadOnlyList<TokenizedList> lists)
    {
        using var values = rewards.cpu();
        using var accessor = values.data<float>();
        var all = accessor.ToArray();
        var byList = new float[lists.Count][];
        for (int l = 0, first = 0; l < lists.Count; first += lists[l].AnswerIds.Count, l++)
            byList[l] = all[first..(first + lists[l].AnswerIds.Count)];
        return byList;
    }
}
