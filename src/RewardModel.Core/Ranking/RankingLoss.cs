using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// A pairwise ranking loss: a function of the rewards of a batch and the pairs among them. It sums; the caller divides once per
/// optimiser step, so that splitting a step into micro-batches changes nothing but rounding.
/// </summary>
public abstract class RankingLoss
{
    /// <summary>The names that <see cref="ByName"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [LogSigmoidLoss.LossName, SigmoidLoss.LossName];

    /// <summary>The name by which options and run files call this loss.</summary>
    public abstract string Name { get; }

    /// <summary>The loss of the given name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="marginScale">
    /// The margin of a pair in the log-sigmoid loss is this times its score difference; 0: no margin. Other losses have none.
    /// </param>
    /// <exception cref="ArgumentException">
    /// No loss has that name (the message lists those that exist), or the loss has no margin and was given one.
    /// </exception>
    /// <example>
    /// <code>
    /// var loss = RankingLoss.ByName("log-sigmoid");
    /// using var pairs = RankingPairs.Of([[2.0, 1.0, 0.0]]);
    /// using var rewards = TorchSharp.torch.tensor(new[] { 0.5f, 0.1f, -1f });
    /// using var sum = loss.Sum(rewards, pairs);
    /// </code>
    /// </example>
    public static RankingLoss ByName(string name, double marginScale = 0) => name switch
    {
        LogSigmoidLoss.LossName => new LogSigmoidLoss(marginScale),
        SigmoidLoss.LossName when marginScale == 0 => new SigmoidLoss(),
        SigmoidLoss.LossName => throw new ArgumentException(
            $"The loss '{name}' has no margin; expected a margin scale of 0, or the loss {LogSigmoidLoss.LossName}.", nameof(marginScale)),
        null => throw new ArgumentNullException(nameof(name)),
        _ => throw new ArgumentException(
            $"The loss '{name}' is not known; expected one of: {string.Join(", ", Names)}.", nameof(name)),
    };

    /// <summary>The weighted sum of the loss over all pairs.</summary>
    /// <param name="rewards">[N], float32.</param>
    /// <param name="pairs">Pairs among those rewards.</param>
    /// <returns>A scalar, float32; 0 when there are no pairs.</returns>
    public Tensor Sum(Tensor rewards, RankingPairs pairs)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(pairs);
        var differences_M = rewards.index_select(0, pairs.Better).sub(rewards.index_select(0, pairs.Worse));
        return OfPairs(differences_M, pairs).mul(pairs.Weights).sum();
    }

    /// <summary>The loss of one pair as a number, in float64.</summary>
    /// <param name="difference">Reward of the better answer minus that of the worse, finite.</param>
    /// <param name="scoreDifference">Score of the better answer minus that of the worse, positive.</param>
    public abstract double OfPair(double difference, double scoreDifference);

    /// <summary>The loss of each pair.</summary>
    /// <param name="differences_M">Reward of the better answer minus that of the worse, [M], float32.</param>
    /// <param name="pairs">What else is known of each pair.</param>
    /// <returns>[M], float32.</returns>
    protected abstract Tensor OfPairs(Tensor differences_M, RankingPairs pairs);
}

/// <summary>
/// -log sigmoid(r_w - r_l - m), the negative log-likelihood of Bradley and Terry's model (arXiv 2203.02155, eq. 1), with a margin m that
/// the rewards should be apart (Llama 2, arXiv 2307.09288, eq. 2): a multiple of how far the scores are apart.
/// </summary>
/// <param name="marginScale">
/// What the score difference of a pair is multiplied with for its margin; 0: no margin. Of answers that are given best first the scores
/// are K-1, ..., 0, so the margin grows with the distance in rank.
/// </param>
/// <exception cref="ArgumentException">The scale is negative or not finite.</exception>
internal sealed class LogSigmoidLoss(double marginScale = 0) : RankingLoss
{
    internal const string LossName = "log-sigmoid";

    private readonly double marginScale = marginScale >= 0 && double.IsFinite(marginScale)
        ? marginScale
        : throw new ArgumentException($"The margin scale is {marginScale}; expected 0 (no margin) or more.", nameof(marginScale));

    /// <inheritdoc/>
    public override string Name => LossName;

    /// <inheritdoc/>
    public override double OfPair(double difference, double scoreDifference)
    {
        var apart = difference - marginScale * scoreDifference;
        // log(1 + exp(-|d|)) + max(-d, 0): exp sees no positive number, so it can't overflow.
        return Math.Log(1 + Math.Exp(-Math.Abs(apart))) + Math.Max(-apart, 0);
    }

    /// <inheritdoc/>
    protected override Tensor OfPairs(Tensor differences_M, RankingPairs pairs) => nn.functional.logsigmoid(
        marginScale == 0 ? differences_M : differences_M.sub(pairs.ScoreDifferences.mul(marginScale))).neg();
}

/// <summary>-sigmoid(r_w - r_l): a bounded loss, whose gradient fades for pairs that are far on the wrong side, too.</summary>
internal sealed class SigmoidLoss : RankingLoss
{
    internal const string LossName = "sigmoid";

    /// <inheritdoc/>
    public override string Name => LossName;

    /// <inheritdoc/>
    public override double OfPair(double difference, double scoreDifference) => -1 / (1 + Math.Exp(-difference));

    /// <inheritdoc/>
    protected override Tensor OfPairs(Tensor differences_M, RankingPairs pairs) => differences_M.sigmoid().neg();
}
