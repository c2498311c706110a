using System.Globalization;
using System.Text;
using RewardModel.Lists;

namespace RewardModel.Training.Sweeps;

/// <summary>What a sweep found.</summary>
/// <param name="Trials">All trials, in their order.</param>
public sealed record SweepResult(IReadOnlyList<SweepTrial> Trials)
{
    /// <summary>Trials with metrics, the best accuracy first, of equal ones the lower loss.</summary>
    public IReadOnlyList<SweepTrial> Ranking =>
    [
        .. Trials.Where(trial => trial.Metrics is not null)
            .OrderByDescending(trial => trial.Metrics!.Accuracy).ThenBy(trial => trial.Metrics!.Loss),
    ];

    /// <summary>The best trial; null where none has metrics.</summary>
    public SweepTrial? Best => Ranking is [var best, ..] ? best : null;

    /// <summary>
    /// By how much the best of as many equally good trials would be above their mean by chance alone: the expected maximum of as many standard
    /// normal numbers times the standard error of an accuracy. An upper bound, as all trials are measured on the same lists. 0 for one trial.
    /// </summary>
    public double ExpectedOptimism
    {
        get
        {
            var ranking = Ranking;
            if (ranking.Count < 2)
                return 0;
            // Half of a 95 % interval is 1.96 standard errors.
            var error = ranking.Average(trial => trial.Metrics!.AccuracyHigh - trial.Metrics.AccuracyLow) / (2 * 1.96);
            return error * ExpectedMaximum(ranking.Count);
        }
    }

    /// <summary>What has to be known to use the result.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            if (Ranking is not [{ Metrics: { } best } first, _, ..] ranking)
                return [];
            var near = ranking.Skip(1).Count(trial => trial.Metrics!.Accuracy >= best.AccuracyLow);
            return
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The held-out lists have chosen one of {ranking.Count} trials, so they are no test set any more: the best of as many equally good "
                    + $"ones would be up to {ExpectedOptimism:F3} above their mean by chance. Report the accuracy on lists that no trial was evaluated "
                    + $"on: reward-model evaluate --model {first.Directory} --data TEST."),
                .. near > 0
                    ? (string[])
                    [
                        $"{Counted.Of(near, "other trial")} {Counted.Verb(near, "lies", "lie")} within the best one's interval and can't be told from "
                        + "it: prefer the cheapest of these, or hold out more prompts.",
                    ]
                    : [],
            ];
        }
    }

    /// <summary>A table of all trials, the best first, those that failed last.</summary>
    public string ToText()
    {
        var failed = Trials.Where(trial => trial.Metrics is null).ToArray();
        string[] names = [.. Trials.SelectMany(trial => trial.Values.Keys).Distinct()];
        List<string[]> rows =
        [
            ["trial", .. names, "accuracy", "95 % interval", "loss", "Kendall tau"],
            .. Ranking.Select(trial => (string[])
            [
                $"{trial.Number}", .. names.Select(name => trial.Values.GetValueOrDefault(name, "")),
                Invariant($"{trial.Metrics!.Accuracy:F4}"), Invariant($"{trial.Metrics.AccuracyLow:F3} to {trial.Metrics.AccuracyHigh:F3}"),
                Invariant($"{trial.Metrics.Loss:F4}"), Invariant($"{trial.Metrics.KendallTau:F4}"),
            ]),
            .. failed.Select(trial => (string[])
                [$"{trial.Number}", .. names.Select(name => trial.Values.GetValueOrDefault(name, "")), trial.Failure ?? "not evaluated", "", "", ""]),
        ];
        // The reason of a failure is as long as it is.
        int[] widths =
        [
            .. Enumerable.Range(0, rows[0].Length).Select(column => rows.Take(rows.Count - failed.Length).Max(row => row[column].Length))
                .Select((width, column) => column <= names.Length ? Math.Max(width, rows.Max(row => row[column].Length)) : width),
        ];
        var text = new StringBuilder();
        foreach (var row in rows)
            text.Append(string.Join("  ", row.Zip(widths, (cell, width) => cell.PadRight(width))).TrimEnd()).Append('\n');
        return text.ToString().TrimEnd('\n');
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The expected maximum of standard normal numbers: the integral of 1 - F(x)^n over x above 0, less that of F(x)^n below, with their
    /// distribution function F, both by the trapezoidal rule.
    /// </summary>
    private static double ExpectedMaximum(int count)
    {
        const double step = 1.0 / 256, end = 8;
        var (distribution, sum) = (0.0, 0.0);
        for (var x = -end; x < end; x += step)
        {
            var power = Math.Pow(distribution, count);
            sum += step * (x < 0 ? -power : 1 - power);
            distribution += step * (Density(x) + Density(x + step)) / 2;
        }
        return sum;

        static double Density(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
