using System.Globalization;

namespace RewardModel.Cli;

/// <summary>Numbers of bytes and times as people read them.</summary>
internal static class Sizes
{
    public static string Bytes(long bytes) => bytes < 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N1} MB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:N1} GB");

    /// <summary>Bytes of a text such as 80GB, 1.5 TB or 40GiB; null: it is no such text.</summary>
    public static long? Parse(string text)
    {
        (string Unit, double Bytes)[] units =
        [
            ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12),
        ];
        foreach (var (unit, bytes) in units)
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)
                && double.TryParse(text[..^unit.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out var count)
                && count * bytes is > 0 and < 1e18)
                return (long)(count * bytes);
        return null;
    }

    public static string Time(TimeSpan time) =>
        time.ToString(time.TotalHours < 1 ? @"mm\:ss" : time.TotalDays < 1 ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);
}
