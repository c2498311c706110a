using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class CheckpointIndexTests : IDisposable
{
    private const string Expected = "expected the name of a file in the checkpoint's own directory";

    private static readonly Dictionary<string, string> Files = new()
    {
        ["b"] = "model-00002-of-00002.safetensors",
        ["a"] = "model-00001-of-00002.safetensors",
    };

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_is_written_is_read_back()
    {
        Write(CheckpointIndex.Text(Files, totalBytes: 12));
        Assert.Equal(Files, CheckpointIndex.Read(directory.Path, new ProblemList()));
    }

    [Fact]
    public void The_text_is_that_of_transformers() =>
        Assert.Equal(
            """
            {
              "metadata": {
                "total_size": 12
              },
              "weight_map": {
                "a": "model-00001-of-00002.safetensors",
                "b": "model-00002-of-00002.safetensors"
              }
            }

            """.ReplaceLineEndings("\n"),
            CheckpointIndex.Text(Files, totalBytes: 12));

    [Theory]
    [InlineData("[]", "the index has no object 'weight_map'; expected one that names the file of each tensor")]
    [InlineData("{}", "the index has no object 'weight_map'; expected one that names the file of each tensor")]
    [InlineData("""{"weight_map": ["a"]}""", "the index has no object 'weight_map'; expected one that names the file of each tensor")]
    [InlineData("""{"weight_map": {"a": "../x"}}""", "tensor 'a' is said to lie in '../x'; " + Expected)]
    [InlineData("""{"weight_map": {"a": "/etc/passwd"}}""", "tensor 'a' is said to lie in '/etc/passwd'; " + Expected)]
    [InlineData("""{"weight_map": {"a": "sub\\x"}}""", "tensor 'a' is said to lie in 'sub\\x'; " + Expected)]
    [InlineData("""{"weight_map": {"a": 3}}""", "tensor 'a' is said to lie in '3'; " + Expected)]
    [InlineData("""{"weight_map": {"a": "x", "a": "x"}}""", "tensor 'a' is listed more than once; expected each name once")]
    [InlineData("{", "the index is not JSON: Expected depth to be zero at the end of the JSON payload. "
        + "There is an open JSON object or array that should be closed. LineNumber: 0 | BytePositionInLine: 1")]
    public void A_wrong_index_is_an_error(string text, string problem) => Assert.Equal([problem], Problems(text));

    [Fact]
    public void All_defects_are_listed_at_once() =>
        Assert.Equal(
            [$"tensor 'a' is said to lie in '..'; {Expected}", $"tensor 'b' is said to lie in 'null'; {Expected}"],
            Problems("""{"weight_map": {"a": "..", "b": null, "c": "x"}}"""));

    [Fact]
    public void Deep_nesting_is_an_error() =>
        Assert.StartsWith(
            "the index is not JSON: The maximum configured depth of 64 has been exceeded",
            Assert.Single(Problems("{\"weight_map\":" + new string('[', 1_000_000))));

    [Fact]
    public void An_index_of_a_gigabyte_is_refused_at_once()
    {
        using (var file = File.Create(directory["model.safetensors.index.json"]))
            file.SetLength(1_000_000_000);
        var problems = new ProblemList();
        CheckpointIndex.Read(directory.Path, problems);
        Assert.Equal(
            ["model.safetensors.index.json: the file has 1000000000 bytes, too many for an index of tensors; expected at most 20000000"],
            Assert.Throws<CheckpointException>(() => problems.ThrowIfAny("index", "Save it again.")).Problems);
    }

    private void Write(string text) => File.WriteAllText(directory["model.safetensors.index.json"], text);

    private IReadOnlyList<string> Problems(string text)
    {
        Write(text);
        var problems = new ProblemList();
        CheckpointIndex.Read(directory.Path, problems);
        return Assert.Throws<CheckpointException>(() => problems.ThrowIfAny("index", "Save it again.")).Problems;
    }
}
