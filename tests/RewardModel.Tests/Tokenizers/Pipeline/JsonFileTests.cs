using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class JsonFileTests
{
    [Theory]
    [InlineData("[]", "tokenizer.json: the file holds a value of kind Array, expected an object")]
    [InlineData("{", "tokenizer.json: not valid JSON: Expected depth to be zero at the end of the JSON payload. "
        + "There is an open JSON object or array that should be closed. LineNumber: 0 | BytePositionInLine: 1.")]
    [InlineData("""{"a": "\ud800"}""", "tokenizer.json: not valid JSON: a string at byte 6 is no Unicode text")]
    [InlineData("""{"\udc00": 1}""", "tokenizer.json: not valid JSON: a string at byte 1 is no Unicode text")]
    public void What_is_not_a_JSON_object_is_a_problem(string content, string expected)
    {
        using var folder = new TokenizerFolder(content);
        var problems = new List<string>();
        Assert.Null(JsonFile.Read(folder.Directory, "tokenizer.json", problems));
        Assert.Equal([expected], problems);
    }

    [Fact]
    public void Nesting_without_end_is_a_problem()
    {
        using var folder = new TokenizerFolder(string.Concat(Enumerable.Repeat("{\"a\":", 1_000_000)));
        var problems = new List<string>();
        Assert.Null(JsonFile.Read(folder.Directory, "tokenizer.json", problems));
        Assert.StartsWith("tokenizer.json: not valid JSON: The maximum configured depth of 64 has been exceeded", Assert.Single(problems));
    }

    [Fact]
    public void Pairs_of_surrogate_escapes_are_read()
    {
        using var folder = new TokenizerFolder("""{"\ud83d\ude00": 1}""");
        var problems = new List<string>();
        using var document = JsonFile.Read(folder.Directory, "tokenizer.json", problems);
        Assert.Equal("\U0001F600", document!.RootElement.EnumerateObject().Single().Name);
        Assert.Empty(problems);
    }
}
