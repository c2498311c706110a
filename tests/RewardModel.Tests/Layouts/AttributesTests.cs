using System.Text;
using System.Text.Json;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Tests.Layouts;

/// <summary>Numbers that answers are rated with besides their order.</summary>
public class AttributesTests
{
    private const string chat = """{"messages": [{"role": "user", "content": "p"}], "answers": ["a", "b"], """;

    [Theory]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "attributes": [{"x": 1, "y": -0.5}, {"x": 2}]}""")]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "scores": [5, 5], "attributes": [{"x": 1, "y": -0.5}, {"x": 2, "y": null}]}""")]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "attributes": [{"x": 1, "y": -0.5}, {"x": 2}]}""")]
    [InlineData(chat + """ "attributes": [{"x": 1, "y": -0.5}, {"x": 2}]}""")]
    [InlineData("""
        {"chosen": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}],
         "rejected": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "b"}], "attributes": [{"x": 1, "y": -0.5}, {"x": 2}]}
        """)]
    [InlineData("""{"prompt_ids": [1], "answer_ids": [[2], [3]], "attributes": [{"x": 1, "y": -0.5}, {"x": 2}]}""")]
    public void Each_answer_of_a_list_has_its_own(string json)
    {
        var row = Parse(json);
        Assert.Null(row.Problem);
        Assert.Empty(row.IgnoredKeys);
        Assert.Equal("""[{"x":1,"y":-0.5},{"x":2}]""", Shown(row.List?.Attributes ?? row.TokenizedList!.Attributes));
        // As it is converted and read again.
        var written = row.List is { } list ? OwnRow.Of(list) : OwnRow.Of(row.TokenizedList!);
        var again = Parse(written);
        Assert.Equal("""[{"x":1,"y":-0.5},{"x":2}]""", Shown(again.List?.Attributes ?? again.TokenizedList!.Attributes));
    }

    [Theory]
    [InlineData("[]", "\"attributes\" is empty, expected at least one item")]
    [InlineData("[{\"x\": 1}]", "\"attributes\" has objects for 1 answer, expected 2 answers")]
    [InlineData("{\"x\": 1}", "\"attributes\" is an object, expected an array of objects of numbers")]
    [InlineData(
        "[{\"x\": true, \"y\": \"2\"}, 3]",
        "\"attributes\"[0].\"x\" is a boolean, expected a finite number, or null where the answer was not rated by it; \"attributes\"[0].\"y\" is a string, "
        + "expected a finite number, or null where the answer was not rated by it; \"attributes\"[1] is a number, expected an object of numbers, such as "
        + "{\"helpfulness\": 3}")]
    [InlineData("[{\"x\": 1, \"x\": 2}, {}]", "\"attributes\"[0].\"x\" is given twice")]
    [InlineData(
        "[{\"x\": 1e999}, null]",
        "\"attributes\"[0].\"x\" is 1e999, expected a finite number, or null where the answer was not rated by it")]
    public void What_is_wrong_with_them_is_told(string attributes, string problem) =>
        Assert.Equal(problem, Parse($$"""{"prompt": "p", "answers": ["a", "b"], "attributes": {{attributes}}}""").Problem);

    [Fact]
    public void Where_no_answer_is_rated_there_are_none()
    {
        Assert.Null(Parse("""{"prompt": "p", "answers": ["a", "b"], "attributes": [{}, null]}""").List!.Attributes);
        Assert.Null(Parse("""{"prompt": "p", "answers": ["a", "b"], "attributes": null}""").List!.Attributes);
        Assert.Null(Parse("""{"prompt": "p", "response": "a", "score": 1, "attributes": {"x": null}}""").List!.Attributes);
        var row = Parse("""{"prompt": "p", "response": "a", "attributes": {"x": null}}""");
        Assert.Equal((true, true), (row.IsPart, row.List!.IsUnscored));
        Assert.Null(row.List.Attributes);
    }

    [Fact]
    public void They_make_scores_where_an_expression_says_how()
    {
        var settings = new RowSettings { ScoreFrom = new ScoreExpression("x - y") };
        var list = Parse("""{"prompt": "p", "answers": ["a", "b"], "attributes": [{"x": 1, "y": -0.5}, {"x": 2, "y": 1}]}""", settings).List!;
        Assert.Equal([1.5, 1], list.Scores);
        Assert.False(list.ScoresAreOrder);
        Assert.Equal(
            "\"y\" is missing, which 'x - y' needs",
            Parse("""{"prompt": "p", "answers": ["a", "b"], "attributes": [{"x": 1, "y": 2}, {"x": 2}]}""", settings).Problem);
        Assert.Equal([3], Parse("""{"prompt": "p", "response": "a", "attributes": {"x": 1, "y": -2}}""", settings).List!.Scores);
    }

    [Fact]
    public void An_expression_needs_what_it_names_and_does_not_make_the_order_of_pairs()
    {
        var settings = new RowSettings { ScoreFrom = new ScoreExpression("x") };
        Assert.Equal(
            "\"x\" is missing, which 'x' needs; \"x\" is missing, which 'x' needs",
            Parse("""{"prompt": "p", "answers": ["a", "b"], "attributes": [{}, {}]}""", settings).Problem);
        // In place of scores, which are told to be ignored.
        var row = Parse("""{"prompt": "p", "answers": ["a", "b"], "scores": [1, 2], "attributes": [{"x": 4}, {"x": 3}]}""", settings);
        Assert.Equal([4, 3], row.List!.Scores);
        Assert.Equal(["scores"], row.IgnoredKeys);
        var pair = Parse("""{"prompt": "p", "chosen": "a", "rejected": "b", "attributes": [{"x": 1}, {"x": 2}]}""", settings).List!;
        Assert.Equal([1, 0], pair.Scores);
        Assert.True(pair.ScoresAreOrder);
    }

    [Fact]
    public void Answers_of_one_prompt_have_scores_or_have_none()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllLines(directory["rated.jsonl"],
        [
            """{"prompt": "p", "response": "a", "rank": 1}""",
            """{"prompt": "p", "response": "b", "attributes": {"x": 1}}""",
            """{"prompt": "q", "response": "c", "attributes": {"x": 1}}""",
            """{"prompt": "q", "response": "d", "score": 3, "attributes": {"x": 1}}""",
        ]);
        var file = directory["rated.jsonl"];
        Assert.Equal(
            [
                $"{file}:2: no score or rank, expected one as in {file}:1: both are answers of one list",
                $"{file}:4: a score or rank, expected none as in {file}:3: both are answers of one list",
            ],
            Assert.Throws<RankedDataException>(() => RankedListReader.Read(file)).BadLines.Select(line => line.ToString()));
    }

    [Fact]
    public void An_answer_by_itself_needs_no_score_beside_them()
    {
        var row = Parse("""{"prompt": "p", "response": "a", "attributes": {"x": 1}}""");
        Assert.True(row.IsPart);
        Assert.Equal(("ranked-table", true), (row.Layout!.Name, row.List!.ScoresAreOrder));
        Assert.Equal([0], row.List.Scores);
        Assert.Equal([7], Parse("""{"prompt": "p", "response": "a", "score": 7, "attributes": {"x": 1}}""").List!.Scores);
        Assert.Equal(
            "\"attributes\".\"x\" is a string, expected a finite number, or null where the answer was not rated by it",
            Parse("""{"prompt": "p", "response": "a", "attributes": {"x": "1"}}""").Problem);
    }

    [Fact]
    public void Answers_of_one_prompt_keep_theirs()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllLines(directory["rated.jsonl"],
        [
            """{"prompt": "p", "response": "a", "score": 2, "attributes": {"x": 1}}""",
            """{"prompt": "q", "response": "c", "score": 2}""",
            """{"prompt": "p", "response": "b", "score": 1}""",
        ]);
        var lists = RankedListReader.Read(directory["rated.jsonl"]).Lists;
        Assert.Equal(["""[{"x":1},{}]""", "null"], lists.Select(list => Shown(list.Attributes)));
        Assert.Equal("""[{"x":1},{}]""", Shown(lists[0].AsChat().Attributes));
    }

    [Fact]
    public void Marks_of_data_sets_are_attributes()
    {
        Assert.Equal(
            """[{"helpfulness":3,"correctness":4,"coherence":4,"verbosity":0}]""",
            Shown(Parse(
                """{"prompt": "p", "response": "a", "helpfulness": 3, "correctness": "4", "coherence": 4, "complexity": null, "verbosity": 0}""",
                isRow: true).List!.Attributes));
        var list = Parse("""
            {"instruction": "p", "completions": [
              {"response": "a", "overall_score": 2, "annotations": {"helpfulness": {"Rating": "2"}, "honesty": {"Rating": "N/A"}}},
              {"response": "b", "overall_score": null, "annotations": {"helpfulness": {"Rating": "3"}}},
              {"response": "c", "overall_score": 9, "annotations": {"honesty": {"Rating": "5"}, "truthfulness": {}}}]}
            """).List!;
        Assert.Equal(["a", "c"], list.Answers);
        Assert.Equal("""[{"helpfulness":2},{"honesty":5}]""", Shown(list.Attributes));
    }

    [Fact]
    public void What_is_scored_only_has_none()
    {
        var row = Parse("""{"prompt": "p", "answers": ["a", "b"], "attributes": "none"}""", new RowSettings { AreToScore = true });
        Assert.Null(row.Problem);
        Assert.Null(row.List!.Attributes);
    }

    [Fact]
    public void Lists_in_code_are_checked()
    {
        var list = RankedList.BestFirst("p", "a", "b");
        Assert.Equal(
            "There are attributes of 1 answer for 2 answers; expected those of each answer, which may be none. (Parameter 'Attributes')",
            Assert.Throws<ArgumentException>(() => list with { Attributes = [new Dictionary<string, double> { ["x"] = 1 }] }).Message);
        Assert.Equal(
            "The attribute 'x' of answer 2 of 2 is NaN; expected a finite number. (Parameter 'Attributes')",
            Assert.Throws<ArgumentException>(() => list with
            {
                Attributes = [new Dictionary<string, double>(), new Dictionary<string, double> { ["x"] = double.NaN }],
            }).Message);
    }

    private static string Shown(IReadOnlyList<IReadOnlyDictionary<string, double>>? attributes) => JsonSerializer.Serialize(attributes);

    private static ParsedRow Parse(string json, RowSettings? settings = null, bool isRow = false) =>
        new RowParser(settings ?? new RowSettings()).Parse(Encoding.UTF8.GetBytes(json), new SourceLine("x.jsonl", 7) { IsRow = isRow });
}
