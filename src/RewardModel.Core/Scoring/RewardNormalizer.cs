using System.Text.Json.Serialization;

namespace RewardModel.Scoring;

/// <summary>
/// Moves and scales the numbers of a reward model: reward = (raw - mean) / std. Saved with the model and applied wherever answers are
/// scored; training works on raw rewards, of which a ranking loss sees differences only.
/// </summary>
public sealed record RewardNormalizer
{
    /// <param name="mean">Is subtracted from the raw reward.</param>
    /// <param name="std">What the difference is divided by, above 0, so that better stays better.</param>
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

    /// <summary>Leaves rewards as they are.</summary>
    public static RewardNormalizer None { get; } = new(0, 1);

    /// <summary>Is subtracted from the raw reward.</summary>
    public double Mean { get; }

    /// <summary>What the difference is divided by.</summary>
    public double Std { get; }

    /// <summary>The reward of an answer.</summary>
    /// <param name="raw">What the model gives.</param>
    public float Apply(float raw) => (float)((raw - Mean) / Std);
}
