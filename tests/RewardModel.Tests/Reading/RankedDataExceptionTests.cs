using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public class RankedDataExceptionTests
{
    [Fact]
    public void One_bad_line_is_named() =>
        Assert.Equal(
            """
            'f.jsonl' has 1 bad line:
            f.jsonl:1: reason 1
            Correct what is wrong, or have bad lines skipped.
            """,
            new RankedDataException("f.jsonl", BadLines(1)).Message);

    [Fact]
    public void After_fifty_lines_the_rest_is_counted()
    {
        var exception = new RankedDataException("f.jsonl", BadLines(52));
        var lines = exception.Message.Split('\n');
        Assert.Equal("'f.jsonl' has 52 bad lines:", lines[0]);
        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"f.jsonl:{i}: reason {i}"), lines[1..51]);
        Assert.Equal(["... and 2 more", "Correct what is wrong, or have bad lines skipped."], lines[51..]);
        Assert.Equal(52, exception.BadLines.Count);
    }

    private static BadLine[] BadLines(int count) =>
        [.. Enumerable.Range(1, count).Select(i => new BadLine(new SourceLine("f.jsonl", i), $"reason {i}"))];
}
