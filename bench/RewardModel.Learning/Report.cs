using System.Text;
using System.Text.Json;

namespace RewardModel.Learning;

/// <summary>Outcomes as tables: of each variant the mean over the seeds, with a 95 % interval by Student's t.</summary>
internal static class Report
{
    // Of 1 to 9 degrees of freedom, both sides together 5 %.
    private static readonly double[] student = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

    public static IReadOnlyList<Outcome> Read(string path) =>
        [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<Outcome>(line)!)];

    public static string Of(IReadOnlyList<Outcome> outcomes)
    {
        var text = new StringBuilder();
        // As the studies list them: the first variant is what the others are compared with.
        var order = Studies.All.Select(variant => (variant.Study, variant.Set.Name, variant.Name)).ToList();
        outcomes = [.. outcomes.OrderBy(outcome => order.IndexOf((outcome.Study, outcome.Set, outcome.Variant)))];
        foreach (var table in outcomes.GroupBy(outcome => (outcome.Study, outcome.Set)))
        {
            var baseline = table.Where(outcome => outcome.Variant == table.First().Variant).ToDictionary(outcome => outcome.Seed);
            text.AppendLine($"### {table.Key.Study}: {table.Key.Set}").AppendLine();
            text.AppendLine("| variant | accuracy | difference from the first, on the same splits | lists | pairs seen | answers scored | seeds |");
            text.AppendLine("| --- | --- | --- | --- | --- | --- | --- |");
            foreach (var variant in table.GroupBy(outcome => outcome.Variant))
            {
                Outcome[] all = [.. variant];
                double[] differences =
                [
                    .. all.Where(outcome => baseline.ContainsKey(outcome.Seed))
                        .Select(outcome => outcome.Accuracy - baseline[outcome.Seed].Accuracy),
                ];
                text.AppendLine(
                    $"| {variant.Key} | {MeanOf([.. all.Select(outcome => outcome.Accuracy)], signed: false)} | "
                    + $"{(variant.Key == table.First().Variant ? "" : MeanOf(differences, signed: true))} | "
                    + $"{all.Average(outcome => outcome.TrainLists):F0} | {all.Average(outcome => outcome.PairsSeen):N0} | "
                    + $"{all.Average(outcome => outcome.AnswersScored):N0} | {all.Length} |");
            }
            text.AppendLine();
        }
        return text.ToString();
    }

    private static string MeanOf(double[] values, bool signed)
    {
        if (values.Length == 0)
            return "";
        var mean = values.Average();
        var number = signed ? $"{Math.Round(mean, 4):+0.0000;-0.0000;0.0000}" : $"{mean:F4}";
        if (values.Length == 1)
            return number;
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        return $"{number} ± {student[Math.Min(values.Length - 2, student.Length - 1)] * deviation / Math.Sqrt(values.Length):F4}";
    }
}
