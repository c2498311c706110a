using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Records;

/// <summary>What choosing by the model is worth, and what else limits the accuracy.</summary>
internal static class ChoiceFigures
{
    /// <summary>The best of n answers.</summary>
    public static void WriteBestOfN(Html html, BestOfNCurve? curve)
    {
        if (curve is null || curve.Points.Count < 2)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Best of n answers");
        var points = curve.Points;
        var last = points[^1];
        var answers = Axis.OfTicks([.. points.Select(point => (double)point.N)]);
        double[] scores = [.. points.SelectMany(point => new[] { point.Chosen, point.Random, point.Best })];
        using (html.Open("p", ("class", "keys")))
        {
            html.Element("span", "best answer there is", ("class", "key reference"));
            html.Element("span", "chosen by the model", ("class", "key smooth"));
            html.Element("span", "any answer", ("class", "key raw"));
        }
        using (var plot = new Plot(
            html, answers, Axis.Covering(scores.Min(), scores.Max()), "answers to choose from",
            $"True score of the answer that the model chooses among n: {NumberText.Number(last.Chosen)} of {last.N} answers, where a random choice gets "
            + $"{NumberText.Number(last.Random)} and the best one has {NumberText.Number(last.Best)}."))
        {
            plot.Lines(
                ("reference", points.Select(point => ((double)point.N, point.Best))), ("raw", points.Select(point => ((double)point.N, point.Random))),
                ("smooth", points.Select(point => ((double)point.N, point.Chosen))));
            foreach (var point in points)
                plot.Dot(
                    point.N, point.Chosen, "smooth",
                    $"{point.N} answers: chosen {NumberText.Number(point.Chosen)}, random {NumberText.Number(point.Random)}, best "
                    + $"{NumberText.Number(point.Best)}");
        }
        WriteBestOfNTable(html, points);
        html.Element(
            "figcaption",
            $"The mean {(curve.IsOfRanks ? "place in the ranking, from 0 for the worst to 1," : "true score")} of the answer that the model chooses, on "
            + $"{NumberText.Count(curve.ListCount, "list")}: a curve that bends down is a model whose highest rewards are mistakes.");
    }

    /// <summary>How often people agree.</summary>
    public static void WriteAgreement(Html html, HumanAgreement? agreement)
    {
        if (agreement is null)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Agreement of people");
        RewardFigures.WriteNumbers(html,
            ("the model is right", NumberText.Percent(agreement.Accuracy)), ("the majority is right", NumberText.Percent(agreement.Ceiling)),
            ("two judgments agree", NumberText.Percent(agreement.Agreement)),
            ("pairs judged more than once", NumberText.Count(agreement.PairCount)), ("their judgments", NumberText.Count(agreement.JudgmentCount)));
        html.Element("figcaption", "On pairs that were judged more than once no model can be right more often than one that always goes with the majority.");
    }

    /// <summary>What ties do.</summary>
    public static void WriteTies(Html html, TieAccuracy? ties)
    {
        if (ties is null)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Ties");
        RewardFigures.WriteNumbers(html,
            ("pairs with equal rewards", NumberText.Count(ties.EqualRewardPairCount)),
            ("accuracy where these are wrong", double.IsNaN(ties.AccuracyTiesWrong) ? null : NumberText.Percent(ties.AccuracyTiesWrong)),
            ("pairs with equal scores", NumberText.Count(ties.TiedPairCount)),
            ("better, worse or tied is right", double.IsNaN(ties.ThreeWayAccuracy) ? null : NumberText.Percent(ties.ThreeWayAccuracy)),
            ("where rewards are tied within", double.IsNaN(ties.Threshold) ? null : NumberText.Number(ties.Threshold)));
        html.Element(
            "figcaption", "Equal rewards count one half elsewhere in this report; here they are counted as wrong, and then as an answer of their own.");
    }

    /// <summary>Where the reference answers are.</summary>
    public static void WriteReference(Html html, ReferenceDrift? reference)
    {
        if (reference is null)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Reference answers");
        RewardFigures.WriteNumbers(html,
            ("read from", NumberText.Name(reference.Name)), ("answers", NumberText.Count(reference.Count)),
            ("mean reward", NumberText.Number(reference.Mean)), ("standard deviation", NumberText.Number(reference.StandardDeviation)),
            ("drift, in deviations", double.IsNaN(reference.Drift) ? null : NumberText.Number(reference.Drift)),
            ("evaluated answers above them", NumberText.Percent(reference.ShareAbove)));
        html.Element("figcaption", "A model that was normalised by its reference answers has them at 0: a drift is how far they are from it now.");
    }

    /// <summary>What edits without a meaning do.</summary>
    public static void WriteConsistency(Html html, IReadOnlyList<ConsistencyCheck> checks)
    {
        if (checks.Count == 0)
            return;
        using var _ = html.Open("figure", ("class", "broad"));
        html.Element("h3", "Consistency");
        WriteTable(html, ["Edit", "Lists", "Mean change", "Largest change", "Of the deviation within lists", "Pairs put into another order"],
        [
            .. checks.Select(check => new[]
            {
                NameOfEdit(check.Edit), NumberText.Count(check.ListCount), NumberText.Number(check.MeanChange), NumberText.Number(check.LargestChange),
                Share(check.RelativeChange), Share(check.ChangedPairShare),
            }),
        ]);
        html.Element("figcaption", "What edits that change no meaning do to rewards: the nearer to 0, the more the model judges what is said.");

        static string Share(double share) => double.IsNaN(share) ? "–" : NumberText.Percent(share);
    }

    /// <summary>How near outputs come to the attributes that answers are rated by.</summary>
    public static void WriteAttributes(Html html, IReadOnlyList<AttributeMetrics>? attributes)
    {
        if (attributes is null)
            return;
        using var _ = html.Open("figure");
        html.Element("h3", "Attributes");
        WriteTable(html, ["Output", "Answers", "Mean squared error", "Correlation"],
        [
            .. attributes.Select(attribute => new[]
            {
                NumberText.Name(attribute.Name), NumberText.Count(attribute.Count), NumberText.Number(attribute.MeanSquaredError),
                double.IsNaN(attribute.Correlation) ? "–" : NumberText.Number(attribute.Correlation),
            }),
        ]);
        html.Element("figcaption", "How near each output of the head comes to the ratings of its name, on answers that have one.");
    }

    /// <summary>The score of a published benchmark.</summary>
    public static void WriteBenchmark(Html html, BenchmarkScore? benchmark)
    {
        if (benchmark is null)
            return;
        using var _ = html.Open("figure", ("class", "broad"));
        html.Element("h3", $"{NumberText.Name(benchmark.Name)}: {NumberText.Percent(benchmark.Score)}");
        if (benchmark.MissingSubsets.Count > 0)
            html.Element(
                "p", $"Not comparable with published scores: the data have nothing of {string.Join(", ", benchmark.MissingSubsets)}.", ("class", "caution"));
        WriteTable(html, ["Section and subset", "Score", "Weight or lists"],
        [
            .. benchmark.Sections.SelectMany(section => new[]
            {
                new[] { NumberText.Name(section.Name), NumberText.Percent(section.Score), $"weight {NumberText.Number(section.Weight)}" },
            }.Concat(section.Subsets.Select(subset => new[]
            {
                $"– {NumberText.Name(subset.Name)}", NumberText.Percent(subset.Score), NumberText.Count(subset.ListCount, "list"),
            }))),
        ]);
        html.Element("figcaption", "Computed as the benchmark says, so that it can be compared with published scores where no subset is missing.");
    }

    /// <summary>A table, whose first column names its rows.</summary>
    public static void WriteTable(Html html, IReadOnlyList<string> columns, IReadOnlyList<string[]> rows)
    {
        using var _ = html.Open("div", ("class", "scrolls"));
        using var table = html.Open("table");
        using (html.Open("thead"))
        using (html.Open("tr"))
            for (var i = 0; i < columns.Count; i++)
                html.Element("th", columns[i], ("scope", "col"), ("class", i == 0 ? null : "number"));
        using (html.Open("tbody"))
            foreach (var row in rows)
                using (html.Open("tr"))
                    for (var i = 0; i < row.Length; i++)
                        if (i == 0)
                            html.Element("th", row[i], ("scope", "row"), ("dir", "auto"));
                        else
                            html.Element("td", row[i], ("class", "number"));
    }

    private static void WriteBestOfNTable(Html html, IReadOnlyList<BestOfNPoint> points) =>
        WriteTable(html, ["Answers", "Chosen", "Random", "Best", "Regret"],
        [
            .. points.Select(point => new[]
            {
                NumberText.Count(point.N), NumberText.Number(point.Chosen), NumberText.Number(point.Random), NumberText.Number(point.Best),
                NumberText.Number(point.Regret),
            }),
        ]);

    private static string NameOfEdit(string edit) => edit switch
    {
        "order" => "answers in the opposite order",
        "trailing-space" => "a space and a line break after each answer",
        "double-spaces" => "each space twice",
        _ => edit,
    };
}
