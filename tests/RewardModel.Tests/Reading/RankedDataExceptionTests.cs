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
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """,
            new RankedDataException("f.jsonl", BadLines(1)).Message);

    [Fact]
    public void Standard_input_is_named_as_such() => Assert.StartsWith(
        "standard input has 1 bad line:\n(standard input):1: x\n",
        new RankedDataException("-", [new BadLine(new SourceLine("(standard input)", 1), "x")]).Message);

    [Fact]
    public void Bad_lines_of_several_files_are_sorted_within_each()
    {
        var exception = RankedDataException.Of(
            [new BadLine(new("b", 5), "x"), new BadLine(new("a", 2), "y"), new BadLine(new("b", 3), "z")]);
        Assert.Equal(
            """
            'b' has 2 bad lines:
            b:3: z
            b:5: x
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            'a' has 1 bad line:
            a:2: y
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """, exception.Message);
        Assert.Equal(["b:3: z", "b:5: x", "a:2: y"], exception.BadLines.Select(line => line.ToString()));
    }

    [Fact]
    public void After_fifty_lines_the_rest_is_counted()
    {
        var exception = new RankedDataException("f.jsonl", BadLines(52));
        var lines = exception.Message.Split('\n');
        Assert.Equal("'f.jsonl' has 52 bad lines:", lines[0]);
        Assert.Equal(Enumerable.Range(1, 50).Select(i => $"f.jsonl:{i}: reason {i}"), lines[1..51]);
        Assert.Equal(["... and 2 more", "Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip)."], lines[51..]);
        Assert.Equal(52, exception.BadLines.Count);
    }

    private static BadLine[] BadLines(int count) =>
        [.. Enumerable.Range(1, count).Select(i => new BadLine(new SourceLine("f.jsonl", i), $"reason {i}"))];
}
