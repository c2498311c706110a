using System.Text.Json.Serialization;

namespace RewardModel.Scoring;

/// <summary>
/// Shifts and scales raw rewards: reward = (raw - mean) / std. Saved with the model and applied wherever answers are
/// scored; training works on raw rewards, of which a ranking loss sees differences only.
/// </summary>
public sealed record RewardNormalizer
{
    /// <param name="mean">Subtracted from the raw reward.</param>
    /// <param name="std">The divisor, above 0, so that the order is kept.</param>
    /// <exception cref="ArgumentException">The mean is not finite, or the standard deviation is not above 0.</exception>
    [JsonConstructor]
    public RewardNormalizer(double mean, double std)
    {
        Mean = double.IsFinite(mean)
            ? mean
            : throw new ArgumentException($"The mean of the rewards is {mean}; expected a finite number.");
        Std = double.IsFinite(std) && std > 0
            ? std
            : throw new ArgumentException($"The standard deviation of the rewards is {std}; expected a number above 0.");
    }

    /// <summary>Leaves rewards unchanged.</summary>
    public static RewardNormalizer None { get; } = new(0, 1);

    /// <summary>Subtracted from the raw reward.</summary>
    public double Mean { get; }

    /// <summary>The divisor.</summary>
    public double Std { get; }

    /// <summary>The reward of an answer.</summary>
    /// <param name="raw">The model's raw reward.</param>
    public float Apply(float raw) => (float)((raw - Mean) / Std);
}
