using RewardModel.Training.Data;

namespace RewardModel.Training.Planning;

/// <summary>Random numbers of distributions, by a seed.</summary>
internal sealed class RandomNumbers(ulong seed)
{
    private readonly SplitMix64 bits = new(SplitMix64.Mix(seed));
    private double? kept;

    /// <summary>Exponential, of mean 1.</summary>
    public double NextExponential() => -Math.Log(NextUniform());

    /// <summary>Normal, of mean 0 and standard deviation 1 (Box and Muller, 1958).</summary>
    public double NextNormal()
    {
        if (kept is { } second)
        {
            kept = null;
            return second;
        }
        var radius = Math.Sqrt(-2 * Math.Log(NextUniform()));
        var angle = 2 * Math.PI * NextUniform();
        kept = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    /// <summary>Uniform, above 0 and at most 1.</summary>
    private double NextUniform() => ((bits.Next() >> 11) + 1) * (1.0 / (1UL << 53));
}
