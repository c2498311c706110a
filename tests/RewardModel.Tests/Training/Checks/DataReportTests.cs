using System.Text.Json.Nodes;
using RewardModel.Training.Checks;
using static RewardModel.Tests.Training.Checks.DataCheckTests;

namespace RewardModel.Tests.Training.Checks;

public class DataReportTests
{
    /// <summary>A leak (an error), an empty answer (a warning), and an answer in another script (a note).</summary>
    private static readonly DataReport report = Report(
    [
        List("What is the best of all teas?", ["A drink of leaves", " "], 1),
        List("Name a river of Asia.", ["The Ob is one of them", "The Rhine"], 4),
        List("What is the best of all teas?", ["Это горячий напиток", "A stone"], 2),
    ], heldOut: [2], new DataCheckSettings { HasNearDuplicates = false, HasNgrams = false });

    [Fact]
    public void The_worst_findings_come_first() => Assert.Equal(
        [(FindingId.Leak, FindingSeverity.Error), (FindingId.EmptyAnswers, FindingSeverity.Warning), (FindingId.MixedScripts, FindingSeverity.Note)],
        report.Findings.Select(finding => (finding.Id, finding.Severity)));

    [Fact]
    public void Its_text_is_aligned_and_fits_into_a_hundred_columns()
    {
        var text = report.ToText();
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 100, line));
        Assert.Equal(
            """
            lists                     3, of 2 prompts
            answers                   6
            answers of a list         2: 3
            pairs                     3
            tied pairs                0 of 3 (0 %)
            lists without a pair      0 of 3 (0 %)
            characters of a prompt    50 %: 29, 90 %: 29, 99 %: 29, longest: 29
            characters of an answer   50 %: 9, 90 %: 21, 99 %: 21, longest: 21
            duplicate lists           0 of 3 (0 %)
            prompts of other lists    2 of 3 (66.7 %)
            to train on, held out     2, 1
            held out and trained on   1 of 1 (100 %)
            empty answers             1 of 6 (16.7 %)
            script                    latin: 3
            language, guessed         en: 3
            better answer is longer   3 of 3 (100 %)
            better answer is shorter  0 of 3 (0 %)

            What a lazy model gets on the held-out lists
              longer                  1.000 (0.207 to 1.000) of 1 pair
              shorter                 0.000 (0.000 to 0.793) of 1 pair
              more-punctuation        0.500 (0.055 to 0.945) of 1 pair
            A reward model has to beat 1.000 (0.207 to 1.000), which taking the longer answer gets.

            Findings
              error   leak
                      1 of 1 held-out lists (100 %) has the prompt of a list that is trained on: their accuracy
                      says nothing of new prompts. Divide the data by prompt.
                      data.jsonl:2
              warning empty-answers
                      1 of 6 answers (16.7 %) is empty or white space: a model learns that saying nothing is
                      bad, or good. Remove them.
                      data.jsonl:1
              note    mixed-scripts
                      1 of 3 lists (33.3 %) has an answer in another script than its prompt. See that they are
                      translations, or meant.
                      data.jsonl:2

            """,
            text);
    }

    [Fact]
    public void Its_json_has_every_figure_in_snake_case()
    {
        var json = JsonNode.Parse(report.ToJson())!;
        Assert.Equal(3, (int)json["list_count"]!);
        Assert.Equal(1.0 / 6, (double)json["empty_answers"]!["share"]!);
        Assert.Equal("data.jsonl", (string)json["empty_answers"]!["examples"]![0]!["file"]!);
        Assert.Equal(3, (int)json["lists_by_answer_count"]!["2"]!);
        Assert.Equal(1, (int)json["split"]!["leak"]!["count"]!);
        Assert.Null(json["answer_tokens"]);
        Assert.Equal(["longer", "shorter", "more-punctuation"], json["baselines"]!.AsArray().Select(baseline => (string)baseline!["name"]!));
        Assert.Equal("warning", (string)json["findings"]![1]!["severity"]!);
        Assert.Equal("empty-answers", (string)json["findings"]![1]!["id"]!);
    }

    [Fact]
    public void Its_summary_is_what_is_bad_and_what_to_beat() => Assert.Equal(
        [
            "1 of 1 held-out lists (100 %) has the prompt of a list that is trained on: their accuracy says nothing of new "
            + "prompts. Divide the data by prompt.",
            "1 of 6 answers (16.7 %) is empty or white space: a model learns that saying nothing is bad, or good. Remove "
            + "them.",
            "A reward model has to beat 1.000 (0.207 to 1.000), which taking the longer answer gets.",
        ],
        report.Summary());

    [Fact]
    public void Every_finding_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "check-data.md"));
        Assert.All(FindingId.All, id => Assert.Contains($"| `{id}` |", page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("error", true)]
    [InlineData("warning", true)]
    [InlineData("note", true)]
    [InlineData("empty-answers", true)]
    [InlineData("mixed-scripts", true)]
    [InlineData("leak", true)]
    [InlineData("near-leak", false)]
    [InlineData("cut,mojibake", false)]
    [InlineData("leak,cut,mixed-scripts", true)]
    [InlineData("", false)]
    public void It_fails_on_ids_and_on_severities_and_worse_ones(string names, bool expected) =>
        Assert.Equal(expected, report.FailsOn(names.Split(',', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void Names_that_nothing_has_are_told_with_those_that_there_are()
    {
        var error = Assert.Throws<ArgumentException>(() => report.FailsOn(["leaks", "leak", "Error"]));
        Assert.Equal(
            "There is no finding 'leaks' or 'Error'; expected note, warning, error or one of leak, near-leak, no-pairs, identical-answers, "
            + "contradictions, cycles, duplicates, near-duplicates, cut, empty-answers, one-token-answers, prompt-repeated, boilerplate, mojibake, "
            + "replacement-characters, byte-order-marks, control-characters, html-entities, special-tokens, mixed-scripts, longer-wins, "
            + "shorter-wins.",
            error.Message);
        Assert.Equal("names", Assert.Throws<ArgumentNullException>(() => report.FailsOn(null!)).ParamName);
    }
}
