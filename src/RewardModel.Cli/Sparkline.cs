namespace RewardModel.Cli;

/// <summary>
/// A curve of many numbers in a few characters: ▇▆▅▃▂▂▁▁. Numbers that follow each other share a column, as its mean, so that all of
/// them are shown however many there are; little memory is used.
/// </summary>
/// <param name="width">Columns.</param>
internal sealed class Sparkline(int width = 16)
{
    private const string blocks = "▁▂▃▄▅▆▇█";

    /// <summary>Sums are kept of this many runs of numbers for each column, at most.</summary>
    private const int partsOfColumn = 32;

    // Runs of as many numbers each, of which the last may still be growing.
    private readonly List<(double Sum, int Count)> parts = [];
    private long partLength = 1;
    private long lastLength;

    /// <summary>Adds a number; one that is not finite counts in no mean.</summary>
    public void Add(double value)
    {
        if (parts.Count == 0 || lastLength == partLength)
        {
            if (parts.Count == width * partsOfColumn)
                Halve();
            parts.Add((0, 0));
            lastLength = 0;
        }
        lastLength++;
        if (double.IsFinite(value))
            parts[^1] = (parts[^1].Sum + value, parts[^1].Count + 1);
    }

    /// <summary>
    /// From the lowest block for the lowest mean to the highest one; means that are all equal are in the middle, and columns without a
    /// finite number empty. As wide as there are numbers, up to the width.
    /// </summary>
    public override string ToString()
    {
        var columnCount = Math.Min(width, parts.Count);
        double?[] means = [.. Enumerable.Range(0, columnCount).Select(column =>
            Mean((int)((long)column * parts.Count / columnCount), (int)((column + 1L) * parts.Count / columnCount)))];
        var (low, high) = (means.Min(), means.Max());
        return string.Concat(means.Select(mean => mean is not { } value ? ' '
            : high == low ? blocks[blocks.Length / 2 - 1]
            : blocks[(int)Math.Round((value - low!.Value) / (high!.Value - low.Value) * (blocks.Length - 1))]));
    }

    private double? Mean(int start, int end)
    {
        var (sum, count) = (0.0, 0L);
        for (var i = start; i < end; i++)
            (sum, count) = (sum + parts[i].Sum, count + parts[i].Count);
        return count == 0 ? null : sum / count;
    }

    /// <summary>Makes one run of every two.</summary>
    private void Halve()
    {
        for (var i = 0; i < parts.Count / 2; i++)
            parts[i] = (parts[2 * i].Sum + parts[2 * i + 1].Sum, parts[2 * i].Count + parts[2 * i + 1].Count);
        parts.RemoveRange(parts.Count / 2, parts.Count - parts.Count / 2);
        partLength *= 2;
        lastLength = partLength;
    }
}
