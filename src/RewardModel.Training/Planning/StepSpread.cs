namespace RewardModel.Training.Planning;

/// <summary>How a rank's time for the same work is distributed.</summary>
internal enum SpreadKind
{
    /// <summary>Normally.</summary>
    Normal,

    /// <summary>A least time, and what comes on top exponentially: few ranks are late, but then by much.</summary>
    Exponential,
}

/// <summary>
/// The spread of the ranks' times for the same work. A step ends when the slowest rank is done, so it takes the expected largest of N
/// times.
/// </summary>
/// <param name="Kind">Its distribution.</param>
/// <param name="Deviation">Its standard deviation as a share of the mean; from 0 to 1.</param>
internal readonly record struct StepSpread(SpreadKind Kind, double Deviation)
{
    /// <summary>
    /// The expected largest of N independent times, as a multiple of their mean: 1 + d m, with m the expected largest of N standard normal
    /// numbers, or for the exponential 1 + 1/2 + ... + 1/N, less 1.
    /// </summary>
    public double ExpectedLargest(int rankCount) => 1 + Deviation * (Kind == SpreadKind.Normal
        ? LargestNormal(rankCount)
        : Enumerable.Range(1, rankCount).Sum(i => 1.0 / i) - 1);

    /// <summary>A time as a multiple of the mean; not below 0.</summary>
    public double Draw(RandomNumbers random) => Deviation == 0
        ? 1
        : Math.Max(0, 1 + Deviation * (Kind == SpreadKind.Normal ? random.NextNormal() : random.NextExponential() - 1));

    /// <summary>
    /// Integral of x times the density N f(x) F(x)^(N - 1) of the largest, f and F of the normal distribution, by the trapezoidal rule, F
    /// summed up on the way.
    /// </summary>
    private static double LargestNormal(int count)
    {
        const double from = -9, to = 9;
        const int intervals = 20_000;
        const double step = (to - from) / intervals;
        double below = 0, sum = 0, last = Density(from);
        for (var i = 1; i <= intervals; i++)
        {
            var x = from + i * step;
            var density = Density(x);
            below += step * (last + density) / 2;
            last = density;
            sum += step * x * count * density * Math.Pow(Math.Min(1, below), count - 1);
        }
        return sum;

        static double Density(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
