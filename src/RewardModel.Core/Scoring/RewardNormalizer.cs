using System.Text.Json.Serialization;

namespace RewardModel.Scoring;

/// <summary>
/// Shifts and scales raw rewards: reward = (raw - mean) / std. Saved with the model and applied wherever answers are
/// scored; training works on raw rewards, of which a ranking loss sees differences only.
/// </summary>
public sealed record RewardNormalizer
{
    // Beyond them no reward of float32 could be divided and stay one.
    private const double least = 1e-30, most = 1e30;

    /// <param name="mean">Subtracted from the raw reward; from -1e30 to 1e30.</param>
    /// <param name="std">The divisor, above 0, so that the order is kept; from 1e-30 to 1e30.</param>
    /// <exception cref="ArgumentException">The mean or the standard deviation is not finite, or beyond these limits.</exception>
    [JsonConstructor]
    public RewardNormalizer(double mean, double std)
    {
        Mean = mean is >= -most and <= most
            ? mean
            : throw new ArgumentException(FormattableString.Invariant(
                $"The mean of the rewards is {mean}; expected a finite number, from {-most} to {most}."));
        Std = std is >= least and <= most
            ? std
            : throw new ArgumentException(FormattableString.Invariant(
                $"The standard deviation of the rewards is {std}; expected a number above 0, from {least} to {most}."));
    }

    /// <summary>Leaves rewards unchanged.</summary>
    public static RewardNormalizer None { get; } = new(0, 1);

    /// <summary>
    /// The normaliser with which some rewards have mean 0, and differences of rewards stay what they are: for reference answers, as in
    /// Learning to summarize (arXiv 2009.01325) and InstructGPT (arXiv 2203.02155, section 3.5).
    /// </summary>
    /// <param name="rewards">Raw rewards, at least one. Their mean is computed in float64.</param>
    /// <exception cref="ArgumentException">There are none, or one is not finite.</exception>
    public static RewardNormalizer Centering(IReadOnlyCollection<float> rewards) => new(MeanOf(rewards), 1);

    /// <summary>The normaliser with which some rewards have mean 0 and standard deviation 1.</summary>
    /// <param name="rewards">
    /// Raw rewards. Their mean and standard deviation (the population's: divided by their number) are computed in float64.
    /// </param>
    /// <exception cref="ArgumentException">There are none, all are the same, or one is not finite.</exception>
    public static RewardNormalizer Standardizing(IReadOnlyCollection<float> rewards)
    {
        var mean = MeanOf(rewards);
        var std = Math.Sqrt(rewards.Sum(reward => (reward - mean) * (reward - mean)) / rewards.Count);
        return std > 0
            ? new RewardNormalizer(mean, std)
            : throw new ArgumentException(
                $"All {rewards.Count} rewards are {rewards.First()}, so that they have no standard deviation to divide by; expected answers with "
                + "different rewards.",
                nameof(rewards));
    }

    /// <summary>Subtracted from the raw reward.</summary>
    public double Mean { get; }

    /// <summary>The divisor.</summary>
    public double Std { get; }

    /// <summary>The reward of an answer.</summary>
    /// <param name="raw">The model's raw reward.</param>
    public float Apply(float raw) => (float)((raw - Mean) / Std);

    private static double MeanOf(IReadOnlyCollection<float> rewards)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        if (rewards.Count == 0)
            throw new ArgumentException("There are no rewards to normalise by; expected at least one.", nameof(rewards));
        var wrong = rewards.Count(reward => !float.IsFinite(reward));
        return wrong == 0
            ? rewards.Average(reward => (double)reward)
            : throw new ArgumentException(
                $"{wrong} of {rewards.Count} rewards are not finite; expected finite numbers: the model has diverged or its weights are "
                + "damaged.",
                nameof(rewards));
    }
}
