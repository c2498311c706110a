using System.Globalization;

namespace RewardModel.Cli;

/// <summary>Numbers of bytes and times as people read them.</summary>
internal static class Sizes
{
    public static string Bytes(long bytes) => bytes < 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N1} MB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:N1} GB");

    public static string Time(TimeSpan time) =>
        time.ToString(time.TotalHours < 1 ? @"mm\:ss" : time.TotalDays < 1 ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);
}
