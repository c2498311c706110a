using RewardModel.Lists;
using RewardModel.Training.Checks;

namespace RewardModel.Tests.Training.Checks;

public class ContradictionsTests
{
    [Theory]
    [InlineData("ab ba", 1, 1)]
    [InlineData("ab ab", 0, 1)]
    [InlineData("ab bc", 0, 0)]
    [InlineData("abc cba", 3, 3)]
    [InlineData("abc acb", 1, 3)]
    [InlineData("ab ba ab ba", 1, 1)]
    [InlineData("abx bay", 1, 1)]
    public void A_pair_in_both_orders_is_one_contradiction(string lists, int expected, int compared)
    {
        var found = Find(lists.Split(' '));
        Assert.Equal((expected, compared, 0), (found.Pairs.Count, found.Pairs.Of, found.Cycles.Count));
    }

    [Theory]
    [InlineData("ab bc ca", 3, 3)]
    [InlineData("ab bc cd da", 4, 4)]
    [InlineData("ab bc ac", 0, 3)]
    [InlineData("abc cx xa", 3, 3)]
    [InlineData("ab bc ca de ef fd", 6, 6)]
    [InlineData("ab bc ca cd de", 3, 4)]
    [InlineData("ab ba bc cb", 0, 3)]
    public void Answers_in_a_circle_are_counted(string lists, int expected, int compared)
    {
        var found = Find(lists.Split(' '));
        Assert.Equal((expected, compared), (found.Cycles.Count, found.Cycles.Of));
    }

    [Fact]
    public void Lists_of_other_prompts_and_ties_contradict_nothing()
    {
        var lists = new CheckedLists();
        Add(lists, 1, "ab", 1);
        Add(lists, 2, "ba", 2);
        lists.Add(1, [Answer('a', 1), Answer('b', 1)], new SourceLine("f", 3));
        Assert.Equal((0, 0), (Contradictions.In(lists).Pairs.Count, Contradictions.In(lists).Pairs.Of));
        Add(lists, 2, "ab", 4);
        Assert.Equal(["f:4"], Contradictions.In(lists).Pairs.Examples.Select(source => source.ToString()));
    }

    [Fact]
    public void A_long_circle_needs_no_recursion()
    {
        string[] lists = [.. Enumerable.Range(0, 20_000).Select(i => $"{(char)(i + 1)}{(char)((i + 1) % 20_000 + 1)}")];
        Assert.Equal(20_000, Find(lists).Cycles.Count);
    }

    /// <summary>Lists of one prompt, their answers best first.</summary>
    private static Contradictions Find(string[] orders)
    {
        var lists = new CheckedLists();
        foreach (var (i, order) in orders.Index())
            Add(lists, 1, order, i + 1);
        return Contradictions.In(lists);
    }

    private static void Add(CheckedLists lists, ulong prompt, string order, int line) =>
        lists.Add(prompt, [.. order.Select((answer, rank) => Answer(answer, order.Length - rank))], new SourceLine("f", line));

    private static CheckedAnswer Answer(char name, double score) => new(name, score, 1, -1, 0);
}
