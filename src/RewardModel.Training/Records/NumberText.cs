using System.Globalization;

namespace RewardModel.Training.Records;

/// <summary>Numbers as people read them in a report, the same in every locale.</summary>
internal static class NumberText
{
    private const string minus = "−";

    /// <summary>A share: 72.4 %. Never 0 for something, nor 100 for less than all.</summary>
    public static string Percent(double share) => $"{PercentDigits(share)} %";

    /// <summary>An interval of shares: 70.1 to 74.6 %.</summary>
    public static string PercentInterval(double low, double high) => $"{PercentDigits(low)} to {PercentDigits(high)} %";

    /// <summary>A difference of shares in percentage points, with its sign: +10.2.</summary>
    public static string Points(double difference)
    {
        // A zero has no sign.
        var points = Math.Round(100 * difference, 1) + 0.0;
        return Signed(points > 0 ? "+" : "", points.ToString("0.0", CultureInfo.InvariantCulture));
    }

    /// <summary>A difference with its sign in ASCII, and so many decimals: +0.031. A zero is +0.000.</summary>
    public static string Difference(double difference, int decimals = 3) =>
        // A zero has no minus.
        (Math.Round(difference, decimals) + 0.0).ToString($"+0.{new string('0', decimals)};-0.{new string('0', decimals)}", CultureInfo.InvariantCulture);

    /// <summary>Four significant digits, without zeros at the end.</summary>
    public static string Number(double value) => Signed("", value switch
    {
        0 => "0",
        _ when !double.IsFinite(value) => value.ToString(CultureInfo.InvariantCulture),
        _ when Math.Abs(value) is < 1e-4 or >= 1e6 => value.ToString("0.###e-0", CultureInfo.InvariantCulture),
        _ => value.ToString("0." + new string('#', Math.Max(0, 3 - (int)Math.Floor(Math.Log10(Math.Abs(value))))), CultureInfo.InvariantCulture),
    });

    /// <summary>A number of things: 1,234,567.</summary>
    public static string Count(long count) => Signed("", count.ToString("N0", CultureInfo.InvariantCulture));

    /// <summary>A number of things and their noun, whose plural ends with s.</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>How long something took: 2 h 05 min.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Hours} h {time.Minutes:00} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalDays} d {time.Hours:00} h"),
    };

    /// <summary>A time, with the zone that it was written in.</summary>
    public static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);

    /// <summary>A text of the data, where it is only a name: its beginning, if it is very long.</summary>
    public static string Name(string text) => text.Length <= 200 ? text : text[..200] + "…";

    private static string PercentDigits(double share) => Signed(
        "", (share is > 0 and < 1 ? Math.Clamp(100 * share, 0.1, 99.9) : 100 * share).ToString("0.0", CultureInfo.InvariantCulture));

    private static string Signed(string plus, string digits) => digits.StartsWith('-') ? minus + digits[1..] : plus + digits;
}
