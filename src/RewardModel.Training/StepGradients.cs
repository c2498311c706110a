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
    /// <returns>The loss as its terms, what the rewards say about the lists, and the norm, before the update.</returns>
    /// <exception cref="TrainingDivergedException">A loss, reward or gradient is not finite. All gradients are 0 then.</exception>
    public (double[] Terms, RankingMetrics Metrics, double GradientNorm) Add(
        IReadOnlyList<TokenizedList> lists, int step, Func<double> gradientNorm)
    {
        var divisor = lists.Sum(list => loss.DivisorOf(RankingList.Of(list)));
        var metrics = new RankingMetricsAccumulator(loss);
        var stepTerms = new double[loss.TermNames.Count];
        // Draws of dropout belong to their step and list, not to what was drawn before or is computed together.
        var seed = SplitMix64.Mix(SplitMix64.Mix((ulong)options.Seed) + (ulong)step);
        var numbers = TokenBudget.Batches(lists, options.MaxTokensPerBatch, model.Backbone.IsCausal);
        TokenizedList[][] batches = [.. numbers.Select(batch => batch.Select(index => lists[index]).ToArray())];
        using var scope = NewDisposeScope();
        // Nothing is read back before all has been asked for: while a GPU is waited for, it has nothing to do next.
        (Tensor Terms, Tensor Rewards)[] results = [.. batches.Zip(numbers, (batch, ofBatch) => AddBatch(batch, ofBatch, divisor, seed))];
        var norm = gradientNorm();
        foreach (var (batchLists, result) in batches.Zip(results))
        {
            using var termValues = result.Terms.cpu().data<float>();
            var batchTerms = termValues.ToArray();
            var rewards = RewardScorer.RewardsByList(result.Rewards, batchLists);
            if (!batchTerms.All(float.IsFinite))
                throw Diverged(step, $"the loss is {batchTerms.Sum()}", batchLists);
            if (!rewards.All(list => list.All(float.IsFinite)))
                throw Diverged(step, "a reward is not finite", batchLists);
            for (var i = 0; i < stepTerms.Length; i++)
                stepTerms[i] += batchTerms[i];
            for (var l = 0; l < batchLists.Length; l++)
                metrics.Add(rewards[l], RankingList.Of(batchLists[l]), batchLists[l].PromptIds);
        }
        return double.IsFinite(norm)
            ? (stepTerms, metrics.Result, norm)
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
    /// <returns>The terms of the loss and the answers' rewards, without a graph, where the model lies, in the caller's scope.</returns>
    private (Tensor Terms, Tensor Rewards) AddBatch(TokenizedList[] lists, int[] numbers, double divisor, ulong seed)
    {
        using var scope = NewDisposeScope();
        var distinct = new DistinctAnswers(lists);
        using var targets = loss.TargetsOf(
            [.. lists.Select(RankingList.Of)], model.Device,
            ReadsAllTokens ? [.. distinct.Tokens().Select(answer => new AnswerTokens(answer.FirstToken, answer.Ids))] : null);
        if (lists.Length == 1
            && TokenBudget.SplitAnswers(distinct.Lists[0], options.MaxTokensPerBatch, model.Backbone.IsCausal) is { Count: > 1 } parts)
            return AddInParts(distinct, parts, targets, divisor, numbers, seed);
        using var sequences = model.Pack(distinct.Lists);
        using var pass = Pass(sequences, numbers, seed);
        var rewards = RewardsOfAll(distinct, Forward(pass));
        var terms = loss.SumsOfTerms(rewards, targets).div(divisor);
        pass.Backward(terms.sum());
        return Detached(terms, targets.OfAnswers(rewards));
    }

    /// <summary>
    /// The loss sees the model only through its rewards. So a list that is too long for one graph is scored without one, d loss / d reward
    /// is taken, and each part goes forward and backward with that: one forward pass more, and memory for one part only.
    /// </summary>
    private (Tensor Terms, Tensor Rewards) AddInParts(
        DistinctAnswers distinct, IReadOnlyList<TokenizedList> parts, RankingTargets targets, double divisor, int[] numbers, ulong seed)
    {
        var partRewards = new List<Tensor>();
        using (no_grad())
            foreach (var part in parts)
            {
                using var sequences = model.Pack([part]);
                using var pass = Pass(sequences, numbers, seed);
                partRewards.Add(Forward(pass));
            }

        // The parts' answers follow each other, as in the list.
        var rewards = cat(partRewards).requires_grad_();
        var rewardsOfAll = RewardsOfAll(distinct, rewards);
        var terms = loss.SumsOfTerms(rewardsOfAll, targets).div(divisor);
        terms.sum().backward();
        var rewardGradients = rewards.grad!.split([.. partRewards.Select(ofPart => ofPart.size(0))]);

        for (var p = 0; p < parts.Count; p++)
        {
            using var scope = NewDisposeScope();
            using var sequences = model.Pack([parts[p]]);
            // Draws the same as in the first pass.
            using var pass = Pass(sequences, numbers, seed);
            pass.Backward(Forward(pass), rewardGradients[p]);
        }
        return Detached(terms, targets.OfAnswers(rewardsOfAll));
    }

    private bool ReadsAllTokens => options.RewardPositions == RewardPositions.All;

    /// <summary>The rewards that the loss compares: of answers, or of all their tokens.</summary>
    private Tensor Forward(ForwardPass pass) => ReadsAllTokens ? model.TokenRewards(pass) : model.forward(pass);

    /// <summary>Those of answers that are equal as well; tokens are found where they are.</summary>
    private Tensor RewardsOfAll(DistinctAnswers distinct, Tensor rewards) => ReadsAllTokens ? rewards : distinct.RewardsOfAll(rewards);

    private static (Tensor Terms, Tensor Rewards) Detached(Tensor terms, Tensor rewards) =>
        (terms.detach().MoveToOuterDisposeScope(), rewards.detach().MoveToOuterDisposeScope());

    /// <param name="sequences">The lists, or a part of one.</param>
    /// <param name="numbers">The places of the lists in the step.</param>
    /// <param name="seed">Of the step.</param>
    private ForwardPass Pass(PackedSequences sequences, int[] numbers, ulong seed) =>
        new(sequences, seed, options.ActivationCheckpointing) { ListNumbers = numbers };
}
