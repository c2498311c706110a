using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// A pairwise ranking loss: a function of the rewards of a batch and the pairs among them. It sums; the caller divides once per
/// optimiser step, so that splitting a step into micro-batches changes nothing but rounding.
/// </summary>
public abstract class RankingLoss
{
    private static readonly RankingLoss[] all = [new LogSigmoidLoss(), new SigmoidLoss()];

    /// <summary>The names that <see cref="ByName"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. all.Select(loss => loss.Name)];

    /// <summary>The name by which options and checkpoints call this loss.</summary>
    public abstract string Name { get; }

    /// <summary>The loss of the given name.</summary>
    /// <exception cref="ArgumentException">No loss has that name; the message lists those that exist.</exception>
    /// <example>
    /// <code>
    /// var loss = RankingLoss.ByName("log-sigmoid");
    /// Console.WriteLine(loss.OfDifference(0)); // log 2: both answers have the same reward
    /// using var pairs = RankingPairs.Of([[2.0, 1.0, 0.0]]);
    /// using var rewards = TorchSharp.torch.tensor(new[] { 0.5f, 0.1f, -1f });
    /// using var sum = loss.Sum(rewards, pairs);
    /// </code>
    /// </example>
    public static RankingLoss ByName(string name) =>
        all.FirstOrDefault(loss => loss.Name == name)
        ?? throw new ArgumentException($"The loss '{name}' is not known; expected one of: {string.Join(", ", Names)}.", nameof(name));

    /// <summary>The weighted sum of the loss over all pairs.</summary>
    /// <param name="rewards">[N], float32.</param>
    /// <param name="pairs">Pairs among those rewards.</param>
    /// <returns>A scalar, float32; 0 when there are no pairs.</returns>
    public Tensor Sum(Tensor rewards, RankingPairs pairs)
    {
        var differences_M = rewards.index_select(0, pairs.Better).sub(rewards.index_select(0, pairs.Worse));
        return OfDifferences(differences_M).mul(pairs.Weights).sum();
    }

    /// <summary>The loss of one pair as a number, in float64.</summary>
    /// <param name="difference">Reward of the better answer less that of the worse, finite.</param>
    public abstract double OfDifference(double difference);

    /// <summary>The loss of each pair.</summary>
    /// <param name="differences_M">Reward of the better answer less that of the worse, [M].</param>
    /// <returns>[M].</returns>
    protected abstract Tensor OfDifferences(Tensor differences_M);
}

/// <summary>-log sigmoid(r_w - r_l), the negative log-likelihood of Bradley and Terry's model (arXiv 2203.02155, eq. 1).</summary>
internal sealed class LogSigmoidLoss : RankingLoss
{
    /// <inheritdoc/>
    public override string Name => "log-sigmoid";

    /// <inheritdoc/>
    public override double OfDifference(double difference) =>
        // log(1 + exp(-|d|)) + max(-d, 0): exp sees no positive number, so it can't overflow.
        Math.Log(1 + Math.Exp(-Math.Abs(difference))) + Math.Max(-difference, 0);

    /// <inheritdoc/>
    protected override Tensor OfDifferences(Tensor differences_M) => nn.functional.logsigmoid(differences_M).neg();
}

/// <summary>-sigmoid(r_w - r_l): a bounded loss, whose gradient fades for pairs that are far on the wrong side, too.</summary>
internal sealed class SigmoidLoss : RankingLoss
{
    /// <inheritdoc/>
    public override string Name => "sigmoid";

    /// <inheritdoc/>
    public override double OfDifference(double difference) => -1 / (1 + Math.Exp(-difference));

    /// <inheritdoc/>
    protected override Tensor OfDifferences(Tensor differences_M) => differences_M.sigmoid().neg();
}
