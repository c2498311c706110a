using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// What a loss knows of a batch of ranked lists besides their rewards, as tensors, made when a term of the loss first asks for them: made by
/// <see cref="RankingLoss.TargetsOf(IReadOnlyList{RankingList}, Device)"/>. Rewards are counted list by list.
/// </summary>
public sealed class RankingTargets : IDisposable
{
    private readonly IReadOnlyList<(RankingList List, List<RankedPair> Pairs)> lists;
    private readonly IReadOnlyList<double> weights;
    private readonly IReadOnlyList<AnswerTokens>? tokens;
    private readonly Device? device;
    private readonly List<Tensor> owned = [];
    private PairTargets? answerPairs, tokenPairs;
    private ChoiceTargets? choices;
    private AnswerTargets? answers;
    private Tensor? below_NL;
    private (Tensor Values_NO, Tensor Weights_NO)? rated;
    private Tensor? answerRows_N;
    private bool isDisposed;

    /// <param name="loss">The loss that they are of.</param>
    /// <param name="lists">The lists and the pairs among their answers.</param>
    /// <param name="weights">Per list, what its mean is multiplied with.</param>
    /// <param name="divisor">What the sum over the lists is divided by.</param>
    /// <param name="device">Where the rewards will lie; null: on the CPU.</param>
    /// <param name="tokens">
    /// The answers of all lists, N, when their rewards come token by token and pairs are compared so; null: a reward for each answer.
    /// </param>
    internal RankingTargets(
        RankingLoss loss, IReadOnlyList<(RankingList List, List<RankedPair> Pairs)> lists, IReadOnlyList<double> weights, double divisor,
        Device? device, IReadOnlyList<AnswerTokens>? tokens)
    {
        TorchLibraries.Require();
        (this.lists, this.weights, this.device, this.tokens) = (lists, weights, device, tokens);
        Loss = loss;
        Divisor = divisor;
    }

    /// <summary>The loss that they are of.</summary>
    internal RankingLoss Loss { get; }

    /// <summary>
    /// What these lists add to the number that the sum over a step's lists is divided by: how many of them the loss applies to, or, with
    /// <see cref="LossNormalization.PerPair"/>, their pairs.
    /// </summary>
    public double Divisor { get; }

    /// <summary>The pairs as rewards are compared: those of the answers, or of their tokens.</summary>
    internal PairTargets ComparedPairs => tokens is null ? AnswerPairs : Alive(tokenPairs ??= OfPairs((list, pair) =>
        tokens[list + pair.Better].Compare(tokens[list + pair.Worse])));

    /// <summary>The pairs of the answers.</summary>
    internal PairTargets AnswerPairs => Alive(answerPairs ??= OfPairs((list, pair) => [(list + pair.Better, list + pair.Worse)]));

    /// <summary>The answers one by one.</summary>
    internal AnswerTargets Answers => Alive(answers ??= new AnswerTargets(
        Own([.. lists.SelectMany(entry => entry.List.Scores).Select(score => (float)score)]),
        Own([
            .. lists.Zip(weights).SelectMany(pair => Enumerable.Repeat(
                (float)(pair.Second / pair.First.List.Scores.Count), pair.First.List.Scores.Count)),
        ])));

    /// <summary>Releases the tensors; nothing can be read from them afterwards.</summary>
    public void Dispose()
    {
        isDisposed = true;
        owned.ForEach(tensor => tensor.Dispose());
        owned.Clear();
    }

    /// <summary>The rewards of the answers, [N], of rewards as they were compared.</summary>
    internal Tensor OfAnswers(Tensor rewards)
    {
        if (tokens is null)
            return Alive(rewards);
        answerRows_N ??= Own([.. tokens.Select(answer => (long)answer.LastRow)]);
        return rewards.index_select(0, Alive(answerRows_N));
    }

    /// <summary>The choices of a term, those of few answers padded to the most that one has.</summary>
    internal ChoiceTargets ChoicesOf(ListwiseTerm term)
    {
        if (choices is not null)
            return Alive(choices);
        using var scope = NewDisposeScope();
        var found = new List<(int First, int[] Answers, float Weight)>();
        foreach (var (entry, weight, first) in Each())
        {
            var ofList = term.ChoicesOf(entry.List, entry.Pairs);
            found.AddRange(ofList.Select(choice => (first, choice, (float)(weight / ofList.Count))));
        }
        var width = found.Select(choice => choice.Answers.Length).DefaultIfEmpty(1).Max();
        var rows = new long[found.Count * width];
        var padding = new float[rows.Length];
        for (var s = 0; s < found.Count; s++)
            for (var k = 0; k < width; k++)
            {
                var isPadding = k >= found[s].Answers.Length;
                rows[s * width + k] = found[s].First + found[s].Answers[isPadding ? 0 : k];
                padding[s * width + k] = isPadding ? 1 : 0;
            }
        return choices = Alive(new ChoiceTargets(
            Own(DeviceTensor.Of(rows, device).view(found.Count, width)), Own(Constant(padding).view(found.Count, width).to(@bool)),
            Own([.. found.Select(choice => choice.Weight)])));
    }

    /// <summary>For each answer and each level but the lowest 1 where its score is below that level, else 0, [N, L - 1].</summary>
    internal (AnswerTargets Answers, Tensor Below_NL) BelowThresholds(IReadOnlyList<double> levels)
    {
        using var scope = NewDisposeScope();
        below_NL ??= Own(Constant([
            .. from entry in lists
               from score in entry.List.Scores
               from level in levels.Skip(1)
               select score >= level ? 0f : 1f,
        ]).view(-1, levels.Count - 1));
        return (Answers, Alive(below_NL));
    }

    /// <summary>
    /// For each answer and each name its attribute of that name, 0 where it was not rated by it, and what the loss of both is multiplied with,
    /// [N, O]: of one list these add up to its weight, and are 0 where there is no attribute.
    /// </summary>
    internal (Tensor Values_NO, Tensor Weights_NO) Rated(IReadOnlyList<string> names)
    {
        if (rated is { } made)
            return Alive(made);
        using var scope = NewDisposeScope();
        var (values, shares) = (new List<float>(), new List<float>());
        foreach (var (entry, weight, _) in Each())
        {
            var ofList = Enumerable.Range(0, entry.List.Scores.Count).SelectMany(answer => names.Select(entry.List.AttributeOf(answer))).ToArray();
            var share = weight / Math.Max(1, ofList.Count(value => value is not null));
            values.AddRange(ofList.Select(value => (float)(value ?? 0)));
            shares.AddRange(ofList.Select(value => value is null ? 0 : (float)share));
        }
        rated = (Own(Constant([.. values]).view(-1, names.Count)), Own(Constant([.. shares]).view(-1, names.Count)));
        return Alive(rated.Value);
    }

    /// <summary>Numbers where the rewards lie.</summary>
    internal Tensor Constant(float[] values) => DeviceTensor.Of(values, Alive(device));

    private PairTargets OfPairs(Func<int, RankedPair, IEnumerable<(int Better, int Worse)>> rowsOf)
    {
        var better = new List<long>();
        var worse = new List<long>();
        var pairWeights = new List<float>();
        var margins = new List<float>();
        var ties = new List<float>();
        foreach (var (entry, weight, first) in Each())
            foreach (var pair in entry.Pairs)
            {
                var before = better.Count;
                foreach (var (betterRow, worseRow) in rowsOf(first, pair))
                {
                    better.Add(betterRow);
                    worse.Add(worseRow);
                }
                var count = better.Count - before;
                pairWeights.AddRange(Enumerable.Repeat((float)(weight / ((double)entry.Pairs.Count * count)), count));
                margins.AddRange(Enumerable.Repeat((float)pair.Margin, count));
                ties.AddRange(Enumerable.Repeat(pair.IsTie ? 1f : 0f, count));
            }
        return new PairTargets(
            Own([.. better]), Own([.. worse]), Own([.. pairWeights]),
            margins.Exists(margin => margin != 0) ? Own([.. margins]) : null, ties.Contains(1) ? Own([.. ties]) : null);
    }

    /// <summary>The lists, their weights, and the index of each one's first answer.</summary>
    private IEnumerable<((RankingList List, List<RankedPair> Pairs) Entry, double Weight, int First)> Each()
    {
        var first = 0;
        foreach (var (entry, weight) in lists.Zip(weights))
        {
            yield return (entry, weight, first);
            first += entry.List.Scores.Count;
        }
    }

    private Tensor Own(long[] values) => Own(DeviceTensor.Of(values, device));

    private Tensor Own(float[] values) => Own(DeviceTensor.Of(values, device));

    private Tensor Own(Tensor tensor)
    {
        owned.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    private T Alive<T>(T value)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return value;
    }
}

/// <summary>M pairs of rewards.</summary>
/// <param name="Better">Index of the better one, [M], int64.</param>
/// <param name="Worse">Index of the worse one, [M], int64.</param>
/// <param name="Weights">What each pair's loss is multiplied with, [M], float32; of one list they add up to its weight.</param>
/// <param name="Margins">By how much they should be apart, [M], float32; null where all are 0.</param>
/// <param name="Ties">1 where none is better, else 0, [M], float32; null where there are no ties.</param>
internal sealed record PairTargets(Tensor Better, Tensor Worse, Tensor Weights, Tensor? Margins, Tensor? Ties);

/// <summary>S choices among up to K answers.</summary>
/// <param name="Rows">Indices of their rewards, [S, K], int64, the one to choose first.</param>
/// <param name="Padding">True where there is no answer, [S, K].</param>
/// <param name="Weights">What each choice's loss is multiplied with, [S], float32; of one list they add up to its weight.</param>
internal sealed record ChoiceTargets(Tensor Rows, Tensor Padding, Tensor Weights);

/// <summary>N answers.</summary>
/// <param name="Scores">Their scores, [N], float32.</param>
/// <param name="Weights">What each answer's loss is multiplied with, [N], float32; of one list they add up to its weight.</param>
internal sealed record AnswerTargets(Tensor Scores, Tensor Weights);
