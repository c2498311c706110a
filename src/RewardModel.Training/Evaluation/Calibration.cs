namespace RewardModel.Training.Evaluation;

/// <summary>
/// Whether sigmoid(r_i - r_j) is the probability that answer i is better: of each pair the confidence is that of the answer with the higher
/// reward, from 0.5 to 1.
/// </summary>
/// <param name="Bins">Ten bins of confidence of the same width; those without pairs are left out.</param>
/// <param name="ExpectedCalibrationError">
/// The mean over pairs of |accuracy - confidence| of their bin (Naeini et al., AAAI 2015; Guo et al., arXiv 1706.04599, eq. 3).
/// </param>
/// <param name="Brier">The mean of (1 - sigmoid(r_better - r_worse))^2: 0.25 for a model that knows nothing.</param>
/// <param name="Temperature">
/// What rewards should be divided by for the lowest mean of -log sigmoid (Guo et al., section 4.2): above 1 the model is too sure of
/// itself. Infinity where no scale is better than none, 0 where no pair is wrong.
/// </param>
public sealed record Calibration(
    IReadOnlyList<CalibrationBin> Bins, double ExpectedCalibrationError, double Brier, double Temperature)
{
    private const int binCount = 10;

    /// <summary>The calibration of scored lists; null without pairs.</summary>
    internal static Calibration? Of(ScoredLists lists)
    {
        if (lists.PairCount == 0)
            return null;
        var bins = new (AccuracyCounter Counter, double ConfidenceSum)[binCount];
        for (var i = 0; i < binCount; i++)
            bins[i].Counter = new AccuracyCounter();
        var squares = 0.0;
        foreach (var pair in lists.Pairs())
        {
            var difference = pair.Difference;
            squares += Math.Pow(Sigmoid(-difference), 2);
            var confidence = Sigmoid(Math.Abs(difference));
            ref var bin = ref bins[Math.Min(binCount - 1, (int)((confidence - 0.5) * 2 * binCount))];
            bin.Counter.Add(pair);
            bin.ConfidenceSum += confidence;
        }
        CalibrationBin[] found =
        [
            .. bins.Select((bin, i) => bin.Counter.ToRow("") is { } row
                ? new CalibrationBin(
                    (binCount + i) / (2.0 * binCount), (binCount + i + 1) / (2.0 * binCount), row.PairCount, bin.ConfidenceSum / row.PairCount,
                    row.Accuracy, row.AccuracyLow, row.AccuracyHigh)
                : null).OfType<CalibrationBin>(),
        ];
        return new Calibration(
            found, found.Sum(bin => bin.PairCount * Math.Abs(bin.Accuracy - bin.Confidence)) / lists.PairCount, squares / lists.PairCount,
            TemperatureOf(lists.Differences));
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>
    /// The mean of -log sigmoid(scale x difference) is convex in the scale, so that its derivative has one zero at most: Newton's method
    /// between a scale below it and one above it, and halving where that leads out.
    /// </summary>
    private static double TemperatureOf(ReadOnlySpan<double> differences)
    {
        var (sum, absoluteSum, areWrong) = (0.0, 0.0, false);
        foreach (var difference in differences)
        {
            sum += difference;
            absoluteSum += Math.Abs(difference);
            areWrong |= difference < 0;
        }
        if (sum <= 0)
            return double.PositiveInfinity;
        if (!areWrong)
            return 0;
        // At 0 the derivative is below 0, as the sum is above it.
        var (low, high) = (0.0, differences.Length / absoluteSum);
        while (Derivatives(differences, high).First < 0)
            (low, high) = (high, 2 * high);
        var scale = high;
        for (var step = 0; step < 200 && high - low > 1e-12 * high; step++)
        {
            var (first, second) = Derivatives(differences, scale);
            (low, high) = first < 0 ? (scale, high) : (low, scale);
            var next = scale - first / second;
            if (Math.Abs(next - scale) <= 1e-14 * scale)
                return 1 / next;
            scale = next > low && next < high ? next : (low + high) / 2;
        }
        return 1 / scale;
    }

    /// <summary>The sums over pairs of the loss's derivatives by the scale.</summary>
    private static (double First, double Second) Derivatives(ReadOnlySpan<double> differences, double scale)
    {
        var (first, second) = (0.0, 0.0);
        foreach (var difference in differences)
        {
            var wrong = Sigmoid(-scale * difference);
            first -= difference * wrong;
            second += difference * difference * wrong * (1 - wrong);
        }
        return (first, second);
    }
}

/// <summary>Pairs of similar confidence.</summary>
/// <param name="Low">The lower end of the bin, which is in it.</param>
/// <param name="High">The upper end, which is in the next one but for the last one.</param>
/// <param name="PairCount">How many they are.</param>
/// <param name="Confidence">The mean confidence.</param>
/// <param name="Accuracy">The share that are right, equal rewards counting one half.</param>
/// <param name="AccuracyLow">The lower end of its 95 % interval, by prompt.</param>
/// <param name="AccuracyHigh">The upper end.</param>
public sealed record CalibrationBin(
    double Low, double High, long PairCount, double Confidence, double Accuracy, double AccuracyLow, double AccuracyHigh);
