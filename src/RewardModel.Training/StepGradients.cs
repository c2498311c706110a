using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Metrics;
using static TorchSharp.torch;

namespace RewardModel.Training;

/// <summary>The gradients of one optimiser step: its lists go through the model in micro-batches, a very long list in parts.</summary>
internal sealed class StepGradients(RewardTransformer model, RankingLoss loss, TrainingOptions options)
{
    /// <summary>Adds the gradients of the step's loss to the parameters' gradients.</summary>
    /// <param name="lists">The lists of the step.</param>
    /// <param name="step">Steps taken before: dropout is drawn by it.</param>
    /// <param name="gradientNorm">Asks for the L2 norm of all gradients, when they are there.</param>
    /// <returns>The loss, what the rewards say about the lists, and the norm, before the update.</returns>
    /// <exception cref="TrainingDivergedException">A loss, reward or gradient is not finite. All gradients are 0 then.</exception>
    public (double Loss, RankingMetrics Metrics, double GradientNorm) Add(
        IReadOnlyList<TokenizedList> lists, int step, Func<double> gradientNorm)
    {
        double divisor = options.LossNormalization == LossNormalization.PerList
            ? lists.Count
            : lists.Sum(TrainingLists.PairCountOf);
        var metrics = new RankingMetricsAccumulator(loss);
        double stepLoss = 0;
        // Draws of dropout belong to their step, not to what was drawn before: no generator's state is part of a run's.
        var seeds = new SplitMix64(SplitMix64.Mix((ulong)options.Seed) + (ulong)step);
        TokenizedList[][] batches =
        [
            .. TokenBudget.Batches(lists, options.MaxTokensPerBatch, model.Backbone.IsCausal)
                .Select(batch => batch.Select(index => lists[index]).ToArray()),
        ];
        using var scope = NewDisposeScope();
        // Nothing is read back before all has been asked for: while a GPU is waited for, it has nothing to do next.
        (Tensor Loss, Tensor Rewards)[] results = [.. batches.Select(batch => AddBatch(batch, divisor, seeds.Next()))];
        var norm = gradientNorm();
        foreach (var (batchLists, result) in batches.Zip(results))
        {
            double batchLoss = result.Loss.cpu().item<float>();
            var rewards = RewardScorer.RewardsByList(result.Rewards, batchLists);
            if (!double.IsFinite(batchLoss))
                throw Diverged(step, $"the loss is {batchLoss}", batchLists);
            if (!rewards.All(list => list.All(float.IsFinite)))
                throw Diverged(step, "a reward is not finite", batchLists);
            stepLoss += batchLoss;
            for (var l = 0; l < batchLists.Length; l++)
                metrics.Add(rewards[l], batchLists[l].Scores, batchLists[l].EqualAnswers(), batchLists[l].PromptIds);
        }
        return double.IsFinite(norm)
            ? (stepLoss, metrics.Result, norm)
            : throw Diverged(step, $"the gradient norm is {norm}", lists);
    }

    /// <summary>What to throw when a step has diverged; the gradients are 0 afterwards.</summary>
    private TrainingDivergedException Diverged(int step, string what, IEnumerable<TokenizedList> lists)
    {
        model.zero_grad();
        return new TrainingDivergedException(
            step + 1, what, "The weights have not been changed by this step.", lists.Select(list => list.Source.ToString()));
    }

    /// <summary>Adds the gradient of sum(loss) / divisor.</summary>
    /// <returns>Both without a graph, where the model lies, in the caller's scope.</returns>
    private (Tensor Loss, Tensor Rewards) AddBatch(TokenizedList[] lists, double divisor, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var pairs = RankingPairs.Of(
            lists.Select(list => list.Scores), options.LossNormalization, model.Device, lists.Select(list => list.EqualAnswers()));
        var distinct = new DistinctAnswers(lists);
        if (lists.Length == 1
            && TokenBudget.SplitAnswers(distinct.Lists[0], options.MaxTokensPerBatch, model.Backbone.IsCausal) is { Count: > 1 } parts)
            return AddInParts(distinct, parts, pairs, divisor, seed);
        using var sequences = model.Pack(distinct.Lists);
        using var pass = Pass(sequences, seed);
        var rewards = distinct.RewardsOfAll(model.forward(pass));
        var batchLoss = loss.Sum(rewards, pairs).div(divisor);
        pass.Backward(batchLoss);
        return (batchLoss.detach().MoveToOuterDisposeScope(), rewards.detach().MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The loss sees the model only through K rewards. So a list that is too long for one graph is scored without one, d loss / d reward
    /// is taken, and each part goes forward and backward with that: one forward pass more, and memory for one part only.
    /// </summary>
    private (Tensor Loss, Tensor Rewards) AddInParts(
        DistinctAnswers distinct, IReadOnlyList<TokenizedList> parts, RankingPairs pairs, double divisor, ulong seed)
    {
        var partRewards = new List<Tensor>();
        using (no_grad())
            for (var p = 0; p < parts.Count; p++)
            {
                using var sequences = model.Pack([parts[p]]);
                using var pass = Pass(sequences, SplitMix64.Mix(seed + (ulong)p));
                partRewards.Add(model.forward(pass));
            }

        // The parts' answers follow each other, as in the list.
        var rewards = cat(partRewards).requires_grad_();
        var rewardsOfAll = distinct.RewardsOfAll(rewards);
        var listLoss = loss.Sum(rewardsOfAll, pairs).div(divisor);
        listLoss.backward();
        var rewardGradients = rewards.grad!.split([.. parts.Select(part => (long)part.AnswerIds.Count)]);

        for (var p = 0; p < parts.Count; p++)
        {
            using var scope = NewDisposeScope();
            using var sequences = model.Pack([parts[p]]);
            // The same seed draws the same as in the first pass.
            using var pass = Pass(sequences, SplitMix64.Mix(seed + (ulong)p));
            pass.Backward(model.forward(pass), rewardGradients[p]);
        }
        return (listLoss.detach().MoveToOuterDisposeScope(), rewardsOfAll.detach().MoveToOuterDisposeScope());
    }

    /// <summary>Leaves torch's generators alone where nothing is drawn.</summary>
    private ForwardPass Pass(PackedSequences sequences, ulong seed) =>
        new(sequences, model.DrawsDropout ? seed : null, options.ActivationCheckpointing);
}
