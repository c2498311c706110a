using System.Globalization;

namespace RewardModel.Training.Records;

/// <summary>What the numbers of an axis are.</summary>
internal enum AxisUnit
{
    Number,

    /// <summary>Shares from 0 to 1, which are named as per cent.</summary>
    Percent,

    /// <summary>Differences of shares, which are named as percentage points with their sign.</summary>
    Points,
}

/// <summary>The numbers that an axis spans, and those that it names. report.js computes the same ones where it zooms.</summary>
internal sealed class Axis
{
    /// <summary>A tick at every so many parts of the axis, or somewhat fewer.</summary>
    private const int mostTicks = 5;

    /// <summary>So that a number which is a multiple of the step but for rounding is one.</summary>
    private const double rounding = 1e-9;

    /// <summary>Parts of a step that a number may lie beyond the last tick: less than a pixel.</summary>
    private const double slack = 1e-3;

    private readonly AxisUnit unit;
    private readonly double step;

    private Axis(double low, double high, AxisUnit unit, bool isLogarithmic, bool isExact)
    {
        (this.unit, IsLogarithmic) = (unit, isLogarithmic);
        if (!(high > low))
            (low, high) = isLogarithmic ? (low / 2, high * 2) : Around(low, unit);
        (Low, High) = (low, high);
        if (isLogarithmic)
        {
            Ticks = LogarithmicTicks(low, high);
            return;
        }
        step = StepFor(high - low);
        var (first, last) = isExact
            ? (Math.Ceiling(low / step - rounding), Math.Floor(high / step + rounding))
            : (Math.Floor(low / step + slack), Math.Ceiling(high / step - slack));
        if (!isExact)
            (Low, High) = (first * step, last * step);
        Ticks = [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    /// <summary>Its lower end.</summary>
    public double Low { get; }

    /// <summary>Its upper end.</summary>
    public double High { get; }

    /// <summary>Whether equal ratios are equally far apart.</summary>
    public bool IsLogarithmic { get; }

    /// <summary>The numbers that it names, in their order.</summary>
    public IReadOnlyList<double> Ticks { get; private init; }

    /// <summary>From round numbers below to round ones above.</summary>
    /// <param name="low">A finite number; above 0 on a logarithmic axis.</param>
    /// <param name="high">Another one, not below it.</param>
    /// <param name="unit">What they are.</param>
    /// <param name="isLogarithmic">Whether equal ratios are equally far apart; then the ends are those that are given.</param>
    public static Axis Covering(double low, double high, AxisUnit unit = AxisUnit.Number, bool isLogarithmic = false) =>
        new(low, high, unit, isLogarithmic, isExact: false);

    /// <summary>From one number to another, with round ticks between.</summary>
    public static Axis Between(double low, double high, AxisUnit unit = AxisUnit.Number) => new(low, high, unit, isLogarithmic: false, isExact: true);

    /// <summary>A logarithmic axis with these ticks, from the first to the last.</summary>
    public static Axis OfTicks(IReadOnlyList<double> ticks) =>
        new Axis(ticks[0], ticks[^1], AxisUnit.Number, isLogarithmic: true, isExact: true).Named(ticks);

    /// <summary>The same axis, which names these numbers.</summary>
    public Axis Named(IReadOnlyList<double> ticks) => new(Low, High, unit, IsLogarithmic, isExact: true) { Ticks = ticks };

    /// <summary>How far along the axis a number is: 0 at its lower end, 1 at the upper one.</summary>
    public double PlaceOf(double value) => IsLogarithmic ? Math.Log(value / Low) / Math.Log(High / Low) : (value - Low) / (High - Low);

    /// <summary>The name of a tick.</summary>
    public string Label(double tick)
    {
        var scale = unit == AxisUnit.Number ? 1 : 100;
        var label = Label(scale * tick, scale * (IsLogarithmic ? tick : step));
        return unit switch
        {
            AxisUnit.Percent => label + " %",
            AxisUnit.Points when tick > 0 && label != "0" => "+" + label,
            _ => label,
        };
    }

    private static string Label(double value, double step)
    {
        var size = Math.Abs(value);
        // Ticks are multiples of their step: this one is 0 but for rounding.
        if (size < step / 2)
            return "0";
        var exponent = (int)Math.Floor(Math.Log10(size) + rounding);
        var text = true switch
        {
            _ when size >= 1e6 => Shortest(size / 1e6) + "M",
            _ when size >= 1e4 => Shortest(size / 1e3) + "k",
            _ when step < 1e-3 * (1 - rounding) => $"{Shortest(size / Math.Pow(10, exponent))}e{exponent}",
            _ => size.ToString($"F{Math.Max(0, -(int)Math.Floor(Math.Log10(step) + rounding))}", CultureInfo.InvariantCulture),
        };
        return value < 0 ? "−" + text : text;
    }

    private static string Shortest(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>An interval around one number.</summary>
    private static (double Low, double High) Around(double value, AxisUnit unit)
    {
        if (unit == AxisUnit.Percent)
            return (Math.Max(0, value - 0.1), Math.Min(1, value + 0.1));
        var half = value == 0 ? 1 : Math.Abs(value) / 10;
        return (value - half, value + half);
    }

    /// <summary>1, 2 or 5 times a power of 10.</summary>
    private static double StepFor(double span)
    {
        var least = span / mostTicks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(least) + rounding));
        return power * (least / power) switch
        {
            <= 1 + rounding => 1,
            <= 2 + rounding => 2,
            <= 5 + rounding => 5,
            _ => 10,
        };
    }

    /// <summary>Powers of 10, and twice and five times them where there are few.</summary>
    private static double[] LogarithmicTicks(double low, double high)
    {
        var exponents = Enumerable.Range((int)Math.Floor(Math.Log10(low)), (int)Math.Ceiling(Math.Log10(high)) - (int)Math.Floor(Math.Log10(low)) + 1);
        double[] Ticks(params double[] factors) =>
            [.. exponents.SelectMany(exponent => factors.Select(factor => factor * Math.Pow(10, exponent))).Where(tick => tick >= low && tick <= high)];
        return Ticks(1) is { Length: > 2 } powers ? powers : Ticks(1, 2, 5);
    }
}
