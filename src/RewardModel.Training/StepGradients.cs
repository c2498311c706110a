using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Distributed;
using RewardModel.Training.Metrics;
using static TorchSharp.torch;

namespace RewardModel.Training;

/// <summary>
/// The gradients of one optimiser step: each rank's share of its lists goes through the model in micro-batches, a very long list in parts.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="trained">Its weights.</param>
/// <param name="loss">What the lists are trained with.</param>
/// <param name="options">The run's.</param>
/// <param name="damaged">What the step before has left of this rank's weights that is not finite, for ranks to agree on.</param>
internal sealed class StepGradients(
    RewardTransformer model, TrainedWeights trained, RankingLoss loss, TrainingOptions options, IReadOnlyList<string>? damaged = null)
{
    private static readonly JsonSerializerOptions shareFormat = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Adds the gradients of the step's loss to the gradients of the weights that this rank updates.</summary>
    /// <param name="lists">The lists of the step, of all ranks.</param>
    /// <param name="step">Steps taken before: dropout is drawn by it.</param>
    /// <param name="squaredNorm">Asks for the squared L2 norm of the gradients of this rank's weights, when they are there.</param>
    /// <exception cref="TrainingDivergedException">A loss, reward or gradient is not finite, on any rank. All gradients are 0 then.</exception>
    public StepResult Add(IReadOnlyList<TokenizedList> lists, int step, Func<double> squaredNorm)
    {
        var (clock, waitedBefore) = (Stopwatch.StartNew(), trained.Waited);
        // Of all ranks' lists: how a step is divided changes nothing but rounding.
        var divisor = lists.Sum(list => loss.DivisorOf(RankingList.Of(list)));
        // Draws of dropout belong to their step and list, not to what was drawn before or is computed together.
        var seed = SplitMix64.Mix(SplitMix64.Mix((ulong)options.Seed) + (ulong)step);
        var shares = ListShares.Of(
            [.. lists.Select(list => PackedSequences.CountTokens(list, model.Backbone.IsCausal))], trained.Ranks.Size);
        var own = shares[trained.Ranks.Rank];
        TokenizedList[] ownLists = [.. own.Select(index => lists[index])];
        Batch[] batches =
        [
            .. TokenBudget.Batches(ownLists, options.MaxTokensPerBatch, model.Backbone.IsCausal)
                .Select(indices => new Batch(
                    [.. indices.Select(index => ownLists[index])], indices, [.. indices.Select(index => own[index])], seed, options, model)),
        ];
        using var scope = NewDisposeScope();
        foreach (var batch in batches.Where(batch => batch.IsInParts))
            ScoreParts(batch, divisor);
        trained.JoinPasses(withBackward: false);
        var passesLeft = batches.Sum(batch => batch.IsInParts ? batch.Parts.Count : 1);
        foreach (var batch in batches)
            for (var p = 0; p < (batch.IsInParts ? batch.Parts.Count : 1); p++)
            {
                trained.IsLastPass = --passesLeft == 0;
                if (batch.IsInParts)
                    GoBackThroughPart(batch, p);
                else
                    AddBatch(batch, divisor);
            }
        var seconds = (clock.Elapsed - (trained.Waited - waitedBefore)).TotalSeconds;
        trained.JoinPasses(withBackward: true);
        trained.FinishGradients();
        // Nothing is read back before all has been asked for: while a GPU is waited for, it has nothing to do next.
        var norm = squaredNorm();
        var share = ShareOf(ownLists, batches, norm, seconds);
        StepShare[] all = trained.Ranks.Size == 1
            ? [share]
            : [.. trained.Ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(share, shareFormat), "losses and rewards of the step")
                .Select(bytes => JsonSerializer.Deserialize<StepShare>(bytes, shareFormat)!)];
        return ResultOf(lists, step, shares, all);
    }

    /// <summary>What this rank's lists came to.</summary>
    private StepShare ShareOf(TokenizedList[] lists, Batch[] batches, double squaredNorm, double seconds)
    {
        var share = new StepShare(new double[loss.TermNames.Count], new float[lists.Length][], squaredNorm, seconds, null, [], damaged ?? []);
        foreach (var batch in batches)
        {
            using var termValues = batch.Terms!.cpu().data<float>();
            var terms = termValues.ToArray();
            var rewards = RewardScorer.RewardsByList(batch.Rewards!, batch.Lists);
            var problem = !terms.All(float.IsFinite) ? $"the loss is {terms.Sum()}"
                : !rewards.All(list => list.All(float.IsFinite)) ? "a reward is not finite"
                : null;
            if (problem is not null)
                return share with { Rewards = [], Problem = problem, Sources = [.. batch.Lists.Select(list => list.Source.ToString())] };
            for (var i = 0; i < terms.Length; i++)
                share.Terms[i] += terms[i];
            foreach (var (index, ofList) in batch.Indices.Zip(rewards))
                share.Rewards[index] = ofList;
        }
        return share;
    }

    /// <summary>What all ranks' lists came to: the same on every rank.</summary>
    private StepResult ResultOf(IReadOnlyList<TokenizedList> lists, int step, int[][] shares, StepShare[] all)
    {
        if (all.SelectMany(share => share.Damaged).Distinct().ToArray() is { Length: > 0 } names)
        {
            trained.ClearGradients();
            throw TrainingDivergedException.OfWeights(step, names, lists.Select(list => list.Source.ToString()));
        }
        if (all.FirstOrDefault(share => share.Problem is not null) is { } failed)
            throw Diverged(step, failed.Problem!, failed.Sources);
        var norm = Math.Sqrt(trained.SquaredNormOf(all.Select(share => share.SquaredNorm)));
        if (!double.IsFinite(norm))
            throw Diverged(step, $"the gradient norm is {norm}", lists.Select(list => list.Source.ToString()));
        var rewards = new float[lists.Count][];
        foreach (var (indices, share) in shares.Zip(all))
            foreach (var (index, ofList) in indices.Zip(share.Rewards))
                rewards[index] = ofList;
        // Of any loss: they are asked for the accuracy alone.
        var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        for (var l = 0; l < lists.Count; l++)
            metrics.Add(rewards[l], RankingList.Of(lists[l]), lists[l].PromptIds);
        return new StepResult(
            [.. Enumerable.Range(0, loss.TermNames.Count).Select(term => all.Sum(share => share.Terms[term]))], metrics.Result.Accuracy, norm,
            [.. all.Select(share => share.Seconds)]);
    }

    /// <summary>What to throw when a step has diverged; the gradients are 0 afterwards.</summary>
    private TrainingDivergedException Diverged(int step, string what, IEnumerable<string> sources)
    {
        trained.ClearGradients();
        return new TrainingDivergedException(step + 1, what, "The weights have not been changed by this step.", sources);
    }

    /// <summary>Adds the gradient of sum(loss) / divisor.</summary>
    private void AddBatch(Batch batch, double divisor)
    {
        using var scope = NewDisposeScope();
        using var targets = TargetsOf(batch);
        using var sequences = model.Pack(batch.Distinct.Lists);
        using var pass = Pass(sequences, batch);
        var (terms, rewards) = LossOf(batch, Forward(pass), targets, divisor);
        pass.Backward(terms.sum());
        batch.Keep(terms, rewards);
    }

    /// <summary>
    /// The loss sees the model only through its rewards, or what they are sums of. So a list that is too long for one graph is scored without
    /// one, the loss's gradient at these is taken, and each part goes forward and backward with that: one forward pass more, and memory for
    /// one part only.
    /// </summary>
    private void ScoreParts(Batch batch, double divisor)
    {
        using var scope = NewDisposeScope();
        using var targets = TargetsOf(batch);
        var partValues = new List<Tensor>();
        using (no_grad())
            for (var p = 0; p < batch.Parts.Count; p++)
            {
                using var sequences = model.Pack([batch.Parts[p]]);
                using var pass = Pass(sequences, batch);
                partValues.Add(Forward(pass));
            }

        // The parts' answers follow each other, as in the list.
        var values = cat(partValues).requires_grad_();
        var (terms, rewards) = LossOf(batch, values, targets, divisor);
        terms.sum().backward();
        batch.Keep(terms, rewards);
        batch.KeepGradients(values.grad!.split([.. partValues.Select(ofPart => ofPart.size(0))]));
    }

    private void GoBackThroughPart(Batch batch, int part)
    {
        using var scope = NewDisposeScope();
        using var sequences = model.Pack([batch.Parts[part]]);
        // Draws the same as in the first pass.
        using var pass = Pass(sequences, batch);
        pass.Backward(Forward(pass), batch.ValueGradients[part]);
    }

    private RankingTargets TargetsOf(Batch batch) => loss.TargetsOf(
        [.. batch.Lists.Select(RankingList.Of)], model.Device,
        ReadsAllTokens ? [.. batch.Distinct.Tokens().Select(answer => new AnswerTokens(answer.FirstToken, answer.Ids))] : null);

    private bool ReadsAllTokens => options.RewardPositions == RewardPositions.All;

    /// <summary>What the loss reads of different answers: rewards, those of all their tokens, or the outputs that rewards are sums of.</summary>
    private Tensor Forward(ForwardPass pass) =>
        ReadsAllTokens ? model.TokenRewards(pass) : loss.ReadsOutputs ? model.OutputsOf(pass) : model.forward(pass);

    /// <summary>The terms of the loss, and the answers' rewards.</summary>
    private (Tensor Terms, Tensor Rewards) LossOf(Batch batch, Tensor values, RankingTargets targets, double divisor)
    {
        // Tokens are found where they are; of answers those that are equal to others are asked for as well.
        var ofAll = ReadsAllTokens ? values : batch.Distinct.RewardsOfAll(values);
        var rewards = loss.ReadsOutputs ? model.RewardsOf(ofAll) : ofAll;
        return (loss.SumsOfTerms(rewards, targets, loss.ReadsOutputs ? ofAll : null).div(divisor), targets.OfAnswers(rewards));
    }

    private ForwardPass Pass(PackedSequences sequences, Batch batch) =>
        new(sequences, batch.Seed, options.ActivationCheckpointing) { ListNumbers = batch.Numbers };

    /// <summary>Lists that go through the model together, or one list in parts, and what comes of them.</summary>
    private sealed class Batch
    {
        public Batch(
            TokenizedList[] lists, int[] indices, int[] numbers, ulong seed, TrainingOptions options, RewardTransformer model)
        {
            (Lists, Indices, Numbers, Seed, Distinct) = (lists, indices, numbers, seed, new DistinctAnswers(lists));
            Parts = lists.Length == 1 ? TokenBudget.SplitAnswers(Distinct.Lists[0], options.MaxTokensPerBatch, model.Backbone.IsCausal) : [];
        }

        public TokenizedList[] Lists { get; }

        /// <summary>The lists' places among this rank's lists.</summary>
        public int[] Indices { get; }

        /// <summary>The lists' places among those of the step.</summary>
        public int[] Numbers { get; }

        /// <summary>Of the step.</summary>
        public ulong Seed { get; }

        public DistinctAnswers Distinct { get; }

        public IReadOnlyList<TokenizedList> Parts { get; }

        public bool IsInParts => Parts.Count > 1;

        /// <summary>The terms of the loss, without a graph, where the model lies.</summary>
        public Tensor? Terms { get; private set; }

        /// <summary>The answers' rewards, likewise.</summary>
        public Tensor? Rewards { get; private set; }

        /// <summary>Of a list in parts, the gradients of what the loss reads of each.</summary>
        public IReadOnlyList<Tensor> ValueGradients { get; private set; } = [];

        /// <summary>Moves what comes of the lists to the caller's scope.</summary>
        public void Keep(Tensor terms, Tensor rewards) =>
            (Terms, Rewards) = (terms.detach().MoveToOuterDisposeScope(), rewards.detach().MoveToOuterDisposeScope());

        /// <inheritdoc cref="Keep"/>
        public void KeepGradients(IEnumerable<Tensor> gradients) =>
            ValueGradients = [.. gradients.Select(gradient => gradient.MoveToOuterDisposeScope())];
    }

    /// <summary>What one rank tells the others of its lists.</summary>
    private sealed record StepShare(
        double[] Terms, float[][] Rewards, double SquaredNorm, double Seconds, string? Problem, string[] Sources,
        IReadOnlyList<string> Damaged);
}

/// <summary>What a step's lists came to before its update.</summary>
/// <param name="Terms">The loss as its terms.</param>
/// <param name="Accuracy">The share of all lists' pairs that the rewards have in the right order; NaN without pairs.</param>
/// <param name="GradientNorm">The L2 norm of all gradients.</param>
/// <param name="RankSeconds">How long each rank computed its lists, without waiting for others at the end.</param>
internal sealed record StepResult(double[] Terms, double Accuracy, double GradientNorm, IReadOnlyList<double> RankSeconds);
