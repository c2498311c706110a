using RewardModel.Training.Evaluation;

namespace RewardModel.Training.Records;

/// <summary>Rewards as probabilities, their distribution, and what they owe to length.</summary>
internal static class RewardFigures
{
    /// <summary>Pixels of the bars that say how many pairs a bin of confidence has.</summary>
    private const int countHeight = 48;

    /// <summary>The reliability diagram, and below it how many pairs each of its bins has.</summary>
    public static void WriteCalibration(Html html, Calibration? calibration)
    {
        if (calibration is null || calibration.Bins.Count == 0)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Calibration");
        var confidence = Axis.Between(0.5, 1, AxisUnit.Percent);
        var accuracy = Axis.Covering(
            Math.Min(0.5, calibration.Bins.Min(bin => bin.AccuracyLow is var low && double.IsFinite(low) ? low : bin.Accuracy)), 1, AxisUnit.Percent);
        using (var plot = new Plot(
            html, confidence, accuracy, "confidence of the model",
            $"Reliability diagram: accuracy over confidence in {calibration.Bins.Count} bins; expected calibration error "
            + $"{NumberText.Percent(calibration.ExpectedCalibrationError)}."))
        {
            plot.Lines(("reference", [(0.5, 0.5), (1, 1)]), ("smooth", calibration.Bins.Select(bin => (bin.Confidence, bin.Accuracy))));
            plot.Label(0.62, 0.62, "perfect calibration", "reference", right: -6, down: -8);
            foreach (var bin in calibration.Bins)
            {
                if (double.IsFinite(bin.AccuracyLow))
                    plot.Upright(bin.Confidence, bin.AccuracyLow, bin.AccuracyHigh, "interval smooth");
                plot.Dot(
                    bin.Confidence, bin.Accuracy, "smooth",
                    $"{NumberText.PercentInterval(bin.Low, bin.High)} sure: {NumberText.Percent(bin.Accuracy)} right "
                    + $"({NumberText.PercentInterval(bin.AccuracyLow, bin.AccuracyHigh)}), {NumberText.Count(bin.PairCount, "pair")}");
            }
        }
        var counts = Axis.Covering(0, calibration.Bins.Max(bin => bin.PairCount));
        using (var plot = new Plot(html, confidence, Ends(counts), "pairs of each confidence", "How many pairs each bin of confidence has.", countHeight))
            foreach (var bin in calibration.Bins)
                plot.Bar(
                    bin.Low, bin.High, bin.PairCount, "count",
                    $"{NumberText.PercentInterval(bin.Low, bin.High)} sure: {NumberText.Count(bin.PairCount, "pair")}");
        WriteNumbers(html,
            ("expected calibration error", NumberText.Percent(calibration.ExpectedCalibrationError)),
            ("Brier score (0.25 knows nothing)", NumberText.Number(calibration.Brier)),
            ("best temperature (above 1: too sure)", double.IsInfinity(calibration.Temperature) ? "∞" : NumberText.Number(calibration.Temperature)));
        html.Element(
            "figcaption",
            "How often the model is right when it is so sure: dots below the line are a model that is too sure of itself, dots above one that is too cautious.");
    }

    /// <summary>All rewards, and the differences of pairs.</summary>
    public static void WriteDistribution(Html html, RewardDistribution? rewards)
    {
        if (rewards is null)
            return;
        if (rewards.Differences.Count > 0)
            using (html.Open("figure"))
            {
                html.Element("h3", "Differences of rewards");
                var wrong = rewards.Differences.Where(bin => bin.Low < 0).Sum(bin => bin.Count);
                var all = rewards.Differences.Sum(bin => bin.Count);
                using (html.Open("p", ("class", "keys")))
                {
                    html.Element("span", "wrong order", ("class", "key wrong"));
                    html.Element("span", "right order", ("class", "key right"));
                }
                WriteHistogram(
                    html, rewards.Differences, "reward of the better answer less that of the worse one", bin => bin.Low < 0 ? "wrong" : "right", "pair",
                    $"Histogram of the differences of rewards of {NumberText.Count(all, "pair")}, {NumberText.Count(wrong)} of them below 0.");
                html.Element("figcaption", "Each pair by its difference: what is left of 0 is in the wrong order, and far left are the mistakes that matter.");
            }
        if (rewards.Rewards.Count > 0)
            using (html.Open("figure"))
            {
                html.Element("h3", "Rewards");
                WriteHistogram(
                    html, rewards.Rewards, "reward", _ => "right", "answer",
                    $"Histogram of rewards; median {NumberText.Number(rewards.Median)}, 90 % from {NumberText.Number(rewards.Quantile05)} to "
                    + $"{NumberText.Number(rewards.Quantile95)}.");
                WriteNumbers(html,
                    ("5 % are below", NumberText.Number(rewards.Quantile05)), ("25 %", NumberText.Number(rewards.Quantile25)),
                    ("median", NumberText.Number(rewards.Median)), ("75 %", NumberText.Number(rewards.Quantile75)),
                    ("95 %", NumberText.Number(rewards.Quantile95)),
                    ("deviation within lists", NumberText.Number(rewards.WithinListDeviation)));
                html.Element(
                    "figcaption",
                    "All answers by their reward: two hills or a long tail are groups that the model treats differently, whatever they are compared with.");
            }
    }

    /// <summary>Rewards over lengths, and what length decides.</summary>
    public static void WriteLength(Html html, LengthBias? length)
    {
        if (length is null)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Reward and length");
        LengthPoint[] points = [.. length.Points.Where(point => float.IsFinite(point.Reward))];
        if (points.Length > 0)
        {
            var tokens = Axis.Between(0, Math.Max(1, points.Max(point => point.TokenCount)));
            var rewards = Axis.Covering(points.Min(point => point.Reward), points.Max(point => point.Reward));
            using var plot = new Plot(
                html, tokens, rewards, "tokens of the answer",
                $"Rewards of {NumberText.Count(points.Length, "answer")} over their lengths in tokens"
                + (double.IsNaN(length.Correlation) ? "." : $"; correlation within lists {NumberText.Number(length.Correlation)}."));
            plot.Points(points.Select(point => ((double)point.TokenCount, (double)point.Reward)));
        }
        WriteNumbers(html,
            ("the better answer is the longer one", NumberText.Percent(length.LongerIsBetter)),
            ("the model prefers the longer one", NumberText.Percent(length.LongerIsPreferred)),
            ("correlation within lists", double.IsNaN(length.Correlation) ? null : NumberText.Number(length.Correlation)),
            ("with the score held fixed", double.IsNaN(length.PartialCorrelation) ? null : NumberText.Number(length.PartialCorrelation)));
        AccuracyRow[] rows = [.. new[] { length.BetterIsLonger, length.BetterIsShorter }.OfType<AccuracyRow>()];
        if (rows.Length > 0)
            AccuracyFigures.WriteRows(html, rows, "");
        html.Element(
            "figcaption",
            "A cloud that rises is a model that rewards length; it has learned more than the data's own bias where it prefers longer answers more often "
            + "than they are better.");
    }

    /// <summary>Numbers of a figure with their names; those that are null are left out.</summary>
    public static void WriteNumbers(Html html, params IEnumerable<(string Name, string? Number)> numbers)
    {
        using var _ = html.Open("dl", ("class", "numbers"));
        foreach (var (name, number) in numbers)
            if (number is not null)
                using (html.Open("div"))
                {
                    html.Element("dt", name);
                    html.Element("dd", number);
                }
    }

    private static void WriteHistogram(
        Html html, IReadOnlyList<HistogramBin> bins, string name, Func<HistogramBin, string> kindOf, string noun, string description)
    {
        var values = Axis.Between(bins[0].Low, bins[^1].High);
        using var plot = new Plot(html, values, Axis.Covering(0, bins.Max(bin => bin.Count)), name, description);
        foreach (var bin in bins)
            if (bin.Count > 0)
                plot.Bar(
                    bin.Low, bin.High, bin.Count, kindOf(bin),
                    $"{NumberText.Number(bin.Low)} to {NumberText.Number(bin.High)}: {NumberText.Count(bin.Count, noun)}");
    }

    /// <summary>The same axis, which names its ends only.</summary>
    private static Axis Ends(Axis axis) => axis.Named([axis.Low, axis.High]);
}
