using System.CommandLine;
using System.Globalization;
using RewardModel.Files;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Records;

namespace RewardModel.Cli;

/// <summary><c>reward-model compare</c>: two or more models on the same lists.</summary>
internal static class CompareCommand
{
    private const int shownRows = 12;

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var model = new Option<string[]>("--model")
        {
            Description = "Reward model, or directory of an ensemble. Give it two or more times.",
            HelpName = "DIR",
            Arity = new ArgumentArity(1, 100),
            Required = true,
        };
        var data = new DataOptions("Ranked lists to compare on.", areGrouped: true);
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var html = CommonOptions.Value<string?>("--html", "FILE", "Write a report with charts and examples, to be opened in a browser.");
        var json = CommonOptions.Json("Print the comparison as one JSON object.");
        var command = new Command("compare", "Compares reward models on the same ranked lists.")
        {
            model, maxTokensPerBatch, device, threads, html, json,
        };
        data.AddTo(command);
        command.SetAction(parsed =>
        {
            CommonOptions.CheckFolder("--html", parsed.GetValue(html));
            Threads.Set(parsed.GetValue(threads));
            Devices.Named(parsed.GetValue(device)!, "--device");
            var comparison = new ComparisonRun(parsed.GetValue(model)!, new LineLogger(errors.WriteLine))
            {
                Device = parsed.GetValue(device)!,
                MaxTokensPerBatch = parsed.GetValue(maxTokensPerBatch),
            }.Run(data.Of(parsed)!);
            if (parsed.GetValue(html) is { } file)
                PendingFile.WriteText(file, ComparisonReport.Of(comparison));
            output.WriteLine(parsed.GetValue(json) ? comparison.ToJson() : string.Join('\n', LinesOf(comparison)));
        });
        return command;
    }

    private static IEnumerable<string> LinesOf(ModelComparison comparison)
    {
        foreach (var (model, i) in comparison.Models.Select((model, i) => (model, i)))
            yield return string.Create(CultureInfo.InvariantCulture, $"{Letter(i)}  {model.Name}: {MetricsText.Of(model.Metrics)}");
        foreach (var difference in comparison.Differences)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{difference.First} - {difference.Second}: {NumberText.Difference(difference.Difference, 4)} (95 % interval {NumberText.Difference(difference.Low)} to "
                + $"{NumberText.Difference(difference.High)}, p = {difference.Probability:G2}); alone right {difference.FirstOnlyCount:N0} and "
                + $"{difference.SecondOnlyCount:N0} times, same order in {difference.Agreement:P1} of pairs");
        if (comparison.LeftOutListCount > 0)
            yield return ComparisonReport.LeftOut(comparison.LeftOutListCount);
        foreach (var table in comparison.Tables)
        {
            yield return $"by {table.By.Replace('-', ' ')}";
            foreach (var row in table.Rows.Take(shownRows))
                yield return string.Create(
                CultureInfo.InvariantCulture,
                    $"  {row.Name}, {NumberText.Count(row.PairCount, "pair")}: {string.Join("  ", row.Accuracies.Select((accuracy, i) => string.Create(CultureInfo.InvariantCulture, $"{Letter(i)} {accuracy:F3}")))}"
                    + $"{(row.Winner is null ? "" : $"  {row.Winner} is better")}");
            if (table.Rows.Count > shownRows)
                yield return $"  and {table.Rows.Count - shownRows} more (--json, --html)";
        }
    }

    private static string Letter(int index) => index < 26 ? $"{(char)('A' + index)}" : $"#{index + 1}";
}
