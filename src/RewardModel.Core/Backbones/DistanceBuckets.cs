using RewardModel.Checkpoints;

namespace RewardModel.Backbones;

/// <summary>
/// Which row of DeBERTa's table each distance has. Either a row each, and the last for all beyond; or, with buckets, a row each up to half
/// their count, then one for each equal step of the distance's logarithm.
/// </summary>
internal sealed class DistanceBuckets
{
    private readonly int longest;
    private readonly long[] rows;

    /// <param name="longest">The longest distance that is asked for.</param>
    /// <param name="span">Buckets on either side.</param>
    /// <param name="bucketOf">The bucket of a distance from 0, which may be beyond the last.</param>
    private DistanceBuckets(int longest, int span, Func<int, double> bucketOf)
    {
        this.longest = longest;
        Span = span;
        rows = [.. Enumerable.Range(-longest, 2 * longest + 1).Select(
            distance => (long)Math.Clamp(Math.Sign(distance) * bucketOf(Math.Abs(distance)) + span, 0, 2 * span - 1))];
    }

    /// <summary>Rows of the table on either side of distance 0, half of all.</summary>
    public int Span { get; }

    /// <summary>Null where attention knows no distances.</summary>
    /// <param name="reader">The settings.</param>
    /// <param name="positions">Tokens of the longest sequence.</param>
    public static DistanceBuckets? Read(ConfigReader reader, int positions)
    {
        var isRelative = reader.Bool("relative_attention", false);
        var bucketCount = reader.Int("position_buckets", -1, -1, ConfigLimits.Distances);
        var furthest = reader.Int("max_relative_positions", -1, -1, ConfigLimits.Distances);
        if (furthest < 1)
            furthest = positions;
        if (!isRelative || positions < 1)
            return null;
        if (bucketCount < 1)
            return new DistanceBuckets(positions, furthest, distance => distance);
        var middle = bucketCount / 2;
        if (middle < 1 || middle > furthest - 2)
        {
            reader.Problem(
                $"position_buckets is {bucketCount} with distances up to {furthest}; expected at least 2, and half of them to be less than "
                + "that by 2 or more");
            return null;
        }
        var logarithms = Math.Log((furthest - 1.0) / middle);
        return new DistanceBuckets(positions, bucketCount, distance => distance <= middle
            ? distance
            : Math.Ceiling(Math.Log((double)distance / middle) / logarithms * (middle - 1)) + middle);
    }

    /// <summary>Rows of the distances -A, -A + 1, ..., A.</summary>
    public long[] Rows(long length) => rows[(int)(longest - length)..(int)(longest + length + 1)];
}
