using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Cli;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Records;

namespace RewardModel.Tests.Cli;

/// <summary><c>evaluate</c>, <c>compare</c> and <c>report</c>, with two untrained models.</summary>
[Collection(nameof(RunsAlone))]
public sealed class EvaluateCommandTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly TokenizerFolder tokenizer = TokenizerFolder.ByteLevel();

    public EvaluateCommandTests()
    {
        Save("first", seed: 3);
        Save("second", seed: 4);
        File.WriteAllLines(directory["test.jsonl"], Enumerable.Range(0, 40).Select(i => JsonSerializer.Serialize(new
        {
            prompt = $"question {i}",
            answers = Enumerable.Range(0, 2 + i % 3).Select(k => $"answer {i * (k + 1)} {new string('x', (i + k) % 4)}"),
            topic = i % 2 == 0 ? "red" : "blue",
        })));
    }

    public void Dispose()
    {
        tokenizer.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void The_text_has_the_figures_of_the_json()
    {
        string[] arguments = ["evaluate", "--model", directory["first"], "--data", directory["test.jsonl"], "--reference", directory["test.jsonl"], "--group-by", "topic"];
        var (status, text, _) = Run(arguments);
        Assert.Equal(0, status);
        var evaluation = RewardEvaluation.FromJson(Run([.. arguments, "--json"]).Output);
        var metrics = evaluation.Metrics;
        Assert.StartsWith(Text($"40 lists, {metrics.AnswerCount} answers, {metrics.PairCount} pairs: loss {metrics.Loss:F4}  accuracy {metrics.Accuracy:F4} "), text);
        var longer = evaluation.Baselines.Single(baseline => baseline.Name == "longer");
        Assert.Contains(
            Text($"against longer        {NumberText.Difference(longer.Difference)} (95 % interval {NumberText.Difference(longer.DifferenceLow)} to ")
            + Text($"{NumberText.Difference(longer.DifferenceHigh)}); its accuracy is {longer.Accuracy:F3} on {metrics.PairCount} pairs\n"),
            text);
        Assert.Contains(Text($"NDCG                  {evaluation.Ndcg:F4}\n"), text);
        Assert.Contains(Text($"reference answers     mean reward {evaluation.Reference!.Mean:F3} of 40, "), text);
        Assert.Contains("trailing-space        changes rewards by ", text);
        var rows = evaluation.Tables.Single(table => table.By == "group").Rows;
        Assert.Equal(["blue", "red"], rows.Select(row => row.Name).Order());
        Assert.Contains(
            "by group\n" + string.Concat(rows.Select(row => Text(
                $"  {row.Name,-36}{row.Accuracy:F3} ({row.AccuracyLow:F3} to {row.AccuracyHigh:F3}), {row.PairCount} pairs\n"))),
            text);
        Assert.DoesNotMatch("NaN|-\\+|-0\\.000 of", text);
    }

    [Fact]
    public void The_page_is_that_of_the_evaluation_and_a_place_that_is_not_there_is_refused_at_once()
    {
        string[] arguments = ["evaluate", "--model", directory["first"], "--data", directory["test.jsonl"], "--json", "--html"];
        var (status, json, _) = Run([.. arguments, directory["page.html"]]);
        Assert.Equal(0, status);
        var page = File.ReadAllText(directory["page.html"]);
        Assert.Contains($"<strong>{NumberText.Percent(RewardEvaluation.FromJson(json).Metrics.Accuracy)}</strong>", page);
        Assert.Contains("test.jsonl</h1>", page);
        var place = directory["none/page.html"];
        Assert.Equal(
            (2, "", $"error: --html is '{place}': there is no directory '{directory["none"]}'. Create it, or give another path.\n"),
            Run([.. arguments, place]));
    }

    [Fact]
    public void A_comparison_has_each_model_and_who_wins_where()
    {
        string[] arguments = ["compare", "--model", directory["first"], "--model", directory["second"], "--data", directory["test.jsonl"], "--group-by", "topic"];
        var (status, text, _) = Run([.. arguments, "--html", directory["page.html"]]);
        Assert.Equal(0, status);
        var json = JsonNode.Parse(Run([.. arguments, "--json"]).Output)!;
        var difference = json["differences"]![0]!;
        Assert.Contains(Text($"A  {directory["first"]}: loss {(double)json["models"]![0]!["metrics"]!["loss"]!:F4} "), text);
        Assert.Contains(Text($"\nB  {directory["second"]}: loss {(double)json["models"]![1]!["metrics"]!["loss"]!:F4} "), text);
        Assert.Contains(
            Text($"\n{directory["first"]} - {directory["second"]}: {NumberText.Difference((double)difference["difference"]!, 4)} (95 % interval ")
            + Text($"{NumberText.Difference((double)difference["low"]!)} to {NumberText.Difference((double)difference["high"]!)}, p = "),
            text);
        var row = json["tables"]!.AsArray().Single(table => (string)table!["by"]! == "group")!["rows"]![0]!;
        Assert.Contains(
            Text($"\n  {(string)row["name"]!}, {(long)row["pair_count"]!} pairs: A {(double)row["accuracies"]![0]!:F3}  B {(double)row["accuracies"]![1]!:F3}"), text);
        Assert.Contains(
            $"<td class=\"number\">{NumberText.Points((double)difference["difference"]!)}</td>", File.ReadAllText(directory["page.html"]));
    }

    [Fact]
    public void A_comparison_needs_two_models_and_a_file()
    {
        string[] data = ["--data", directory["test.jsonl"]];
        Assert.EndsWith("expected two or more different ones.\n", Run(["compare", "--model", directory["first"], .. data]).Errors);
        Assert.EndsWith(
            "expected two or more different ones.\n",
            Run(["compare", "--model", directory["first"], "--model", directory["first"] + Path.DirectorySeparatorChar, .. data]).Errors);
        Assert.Equal(
            (1, "", "error: Standard input can be read only once, and each model reads the lists by itself; give a file.\n"),
            Run("compare", "--model", directory["first"], "--model", directory["second"], "--data", "-"));
    }

    [Fact]
    public void A_report_and_its_table_are_written_again()
    {
        Directory.CreateDirectory(directory["run/training"]);
        File.WriteAllText(
            directory["run/training/log.jsonl"],
            """{"step":1,"step_count":2,"epoch":0.5,"loss":0.6,"accuracy":0.7,"learning_rate":0.1,"gradient_norm":1,"tokens":5,"tokens_seen":5,"tokens_per_second":9,"time_left":"00:00:01"}""");
        Assert.Equal(
            (0, $"Report: {directory["run/report.html"]}\nCSV:    {directory["run.csv"]}\n", ""), Run("report", directory["run"], "--csv", directory["run.csv"]));
        Assert.Contains("<h1 dir=\"auto\">run</h1>", File.ReadAllText(directory["run/report.html"]));
        Assert.StartsWith("1,0.5,0.6,0.7,0.1,1,5,5,9,", File.ReadAllLines(directory["run.csv"])[1]);
        Assert.Equal((0, $"Report: {directory["other.html"]}\n", ""), Run("report", directory["run"], "-o", directory["other.html"]));
        Assert.Equal(File.ReadAllText(directory["run/report.html"]), File.ReadAllText(directory["other.html"]));
        Assert.Equal(
            (2, "", $"error: --csv is '{directory["none/a.csv"]}': there is no directory '{directory["none"]}'. Create it, or give another path.\n"),
            Run("report", directory["run"], "--csv", directory["none/a.csv"]));
        Assert.StartsWith($"error: '{directory["none"]}' holds no training run", Run("report", directory["none"]).Errors);
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private void Save(string name, long seed)
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using var transformer = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: seed);
        using var model = new ScoringModel(transformer, HuggingFaceTokenizer.Load(tokenizer.Directory));
        model.Save(directory[name]);
    }

    private static (int Status, string Output, string Errors) Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        return (CommandLine.Run(arguments, output, errors), output.ToString(), errors.ToString());
    }
}
