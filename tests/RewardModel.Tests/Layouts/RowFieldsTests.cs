using System.Text.Json;
using RewardModel.Layouts;

namespace RewardModel.Tests.Layouts;

public class RowFieldsTests
{
    [Theory]
    [InlineData("""{}""", "\"t\" is missing")]
    [InlineData("""{"t": null}""", "\"t\" is missing")]
    [InlineData("""{"t": 1}""", "\"t\" is a number, expected a string")]
    [InlineData("""{"t": ["x"]}""", "\"t\" is an array, expected a string")]
    [InlineData("""{"t": {}}""", "\"t\" is an object, expected a string")]
    [InlineData("""{"t": false}""", "\"t\" is a boolean, expected a string")]
    [InlineData("""{"t": "x", "t": "y"}""", "\"t\" is given twice")]
    public void A_text_must_be_a_string(string json, string problem) => AssertProblem(json, fields => fields.Text("t"), problem);

    [Theory]
    [InlineData("""{}""", "\"t\" is missing")]
    [InlineData("""{"t": "x"}""", "\"t\" is a string, expected an array of strings")]
    [InlineData("""{"t": []}""", "\"t\" is empty, expected at least one item")]
    [InlineData("""{"t": ["x", null]}""", "\"t\"[1] is null, expected a string")]
    public void Texts_must_be_an_array_of_strings(string json, string problem) =>
        AssertProblem(json, fields => fields.Texts("t"), problem);

    [Theory]
    [InlineData("""{"t": 3}""", "\"t\" is a number, expected an array of token ids")]
    [InlineData("""{"t": [-1]}""", "\"t\"[0] is -1, expected a token id: an integer from 0 to 2147483647")]
    [InlineData("""{"t": [0, 2147483648]}""", "\"t\"[1] is 2147483648, expected a token id: an integer from 0 to 2147483647")]
    [InlineData("""{"t": [1.5]}""", "\"t\"[0] is 1.5, expected a token id: an integer from 0 to 2147483647")]
    [InlineData("""{"t": ["7"]}""", "\"t\"[0] is a string, expected a token id: an integer from 0 to 2147483647")]
    public void Token_ids_must_be_integers_from_0(string json, string problem) =>
        AssertProblem(json, fields => fields.TokenIds("t"), problem);

    [Theory]
    [InlineData(
        """{"t": [1, 2]}""",
        "\"t\"[0] is a number, expected an array of token ids|\"t\"[1] is a number, expected an array of token ids")]
    [InlineData("""{"t": []}""", "\"t\" is empty, expected at least one item")]
    [InlineData("""{"t": [[1], []]}""", "\"t\"[1] is empty, expected at least one token id")]
    [InlineData("""{"t": [[1, -2]]}""", "\"t\"[0][1] is -2, expected a token id: an integer from 0 to 2147483647")]
    public void Answer_ids_must_be_arrays_of_token_ids(string json, string problems) =>
        AssertProblem(json, fields => fields.AnswerIds("t"), problems);

    [Theory]
    [InlineData("""{"a": ["x"], "scores": 1}""", "\"scores\" is a number, expected an array of numbers|0 scores for 1 answer")]
    [InlineData("""{"a": ["x"], "scores": ["1"]}""", "\"scores\"[0] is a string, expected a finite number")]
    [InlineData("""{"a": ["x"], "scores": [1e999]}""", "\"scores\"[0] is 1e999, expected a finite number")]
    [InlineData("""{"a": ["x", "y"], "scores": [1, 2, 3]}""", "3 scores for 2 answers")]
    [InlineData("""{"a": ["x"], "ranks": [0]}""", "\"ranks\"[0] is 0, expected an integer from 1 (the best)")]
    [InlineData("""{"a": ["x"], "ranks": [1e999]}""", "\"ranks\"[0] is 1e999, expected an integer from 1 (the best)")]
    [InlineData("""{"a": ["x"], "ranks": [1.5]}""", "\"ranks\"[0] is 1.5, expected an integer from 1 (the best)")]
    [InlineData("""{"a": ["x"], "ranks": [true]}""", "\"ranks\"[0] is a boolean, expected an integer from 1 (the best)")]
    [InlineData("""{"a": ["x", "y"], "ranks": [1]}""", "1 rank for 2 answers")]
    [InlineData(
        """{"a": ["x"], "scores": [1], "ranks": [1]}""",
        "\"scores\" and \"ranks\" are both given, expected at most one of them")]
    public void Scores_must_fit_the_answers(string json, string problems) => AssertProblem(json, fields => fields.Scores("a", attributes: null), problems);

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"a": "x", "scores": [1, 2]}""")]
    public void Scores_of_answers_that_are_no_array_are_not_counted(string json) =>
        AssertProblem(json, fields => fields.Scores("a", attributes: null), "");

    private static void AssertProblem<T>(string json, Func<RowFields, T> read, string problems)
    {
        using var document = JsonDocument.Parse(json);
        var fields = new RowFields(document.RootElement);
        read(fields);
        Assert.Equal(problems, string.Join('|', fields.Problems));
    }
}
