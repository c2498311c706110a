using System.Text;

namespace RewardModel.Tests.Parity;

/// <summary>
/// The weights of the parity models, computed from each tensor's name and shape, so that the repository stores none.
/// The rule is written down in README.md beside this file; make_parity.py has its other implementation.
/// </summary>
internal static class HashWeights
{
    private const ulong FnvOffsetBasis = 0xCBF29CE484222325;
    private const ulong FnvPrime = 0x100000001B3;
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    /// <summary>The values of one tensor, row-major in the shape in which the checkpoint stores it.</summary>
    /// <param name="name">The tensor's name in the checkpoint, such as <c>model.norm.weight</c>.</param>
    /// <param name="shape">The tensor's shape in the checkpoint.</param>
    /// <exception cref="ArgumentException">The rule has no scale for a tensor of that name and rank.</exception>
    public static float[] Values(string name, long[] shape)
    {
        var (center, scale) = CenterAndScale(name, shape);
        var values = new float[shape.Aggregate(1L, (product, size) => checked(product * size))];
        var state = Fnv1a(name);
        for (var i = 0; i < values.Length; i++)
        {
            state += GoldenGamma;
            values[i] = center + (scale * Uniform(SplitMix64(state)));
        }
        return values;
    }

    private static (float Center, float Scale) CenterAndScale(string name, long[] shape)
    {
        if (name.EndsWith(".bias", StringComparison.Ordinal) && shape.Length == 1)
            return (0f, 1f / 8);
        if (name.EndsWith(".weight", StringComparison.Ordinal) && shape.Length == 1)
            return (1f, 1f / 8);
        if (name.EndsWith(".weight", StringComparison.Ordinal) && shape.Length is 2 or 3)
            return (0f, 1f / 4);
        if (name.EndsWith(".sinks", StringComparison.Ordinal) && shape.Length == 1)
            return (0f, 1f);
        // Experts, [in, out].
        if (name.EndsWith(".gate_up_proj", StringComparison.Ordinal) && shape.Length == 3)
            return (0f, 1f);
        if (name.EndsWith(".down_proj", StringComparison.Ordinal) && shape.Length == 3)
            return (0f, 1f / 8);
        if (name.EndsWith("_proj_bias", StringComparison.Ordinal) && shape.Length == 2)
            return (0f, 1f / 8);
        throw new ArgumentException(
            $"tensor '{name}' has shape [{string.Join(", ", shape)}], but the rule covers only '*.bias' with 1 dimension, " +
            "'*.weight' with 1 to 3, sinks and experts: add a line for it to HashWeights.cs, make_parity.py and README.md");
    }

    private static ulong Fnv1a(string name)
    {
        var hash = FnvOffsetBasis;
        foreach (var b in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ b) * FnvPrime;
        return hash;
    }

    private static ulong SplitMix64(ulong state)
    {
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }

    // An odd multiple of 2^-20 in (-1, 1): never 0, and exact in float32 also after 1 + u / 8.
    private static float Uniform(ulong bits) => (2 * (int)(bits >> 44) + 1 - (1 << 20)) / (float)(1 << 20);
}
