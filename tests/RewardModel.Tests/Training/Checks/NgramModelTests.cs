using RewardModel.Lists;
using RewardModel.Training.Checks;

namespace RewardModel.Tests.Training.Checks;

public class NgramModelTests
{
    [Theory]
    [InlineData("the a b", nameof(NgramKind.Words), 3)]
    [InlineData("the a b", nameof(NgramKind.WordPairs), 5)]
    [InlineData("A a  A\n", nameof(NgramKind.WordPairs), 2)]
    [InlineData("abab", nameof(NgramKind.Characters), 6)]
    [InlineData("很好很好", nameof(NgramKind.Words), 2)]
    [InlineData("很好很好", nameof(NgramKind.WordPairs), 4)]
    [InlineData("", nameof(NgramKind.Words), 0)]
    [InlineData(" ", nameof(NgramKind.Characters), 0)]
    public void Parts_are_counted_once(string text, string kind, int expected) =>
        Assert.Equal(expected, NgramFeatures.Of(text, Enum.Parse<NgramKind>(kind)).Length);

    [Fact]
    public void Only_pairs_of_words_know_their_order()
    {
        Assert.Equal(NgramFeatures.Of("dog bites man", NgramKind.Words), NgramFeatures.Of("man bites dog", NgramKind.Words));
        Assert.NotEqual(NgramFeatures.Of("dog bites man", NgramKind.WordPairs), NgramFeatures.Of("man bites dog", NgramKind.WordPairs));
        Assert.NotEqual(NgramFeatures.Of("a bc d", NgramKind.WordPairs), NgramFeatures.Of("ab c d", NgramKind.WordPairs));
    }

    [Theory]
    [InlineData(nameof(NgramKind.Words))]
    [InlineData(nameof(NgramKind.WordPairs))]
    [InlineData(nameof(NgramKind.Characters))]
    public void What_better_answers_have_is_learnt(string kind)
    {
        RankedList[] lists = [.. Enumerable.Range(0, 50).Select(i => RankedList.BestFirst("p", $"surely it is {i}", $"maybe it was {i}"))];
        var model = NgramModel.Train(Enum.Parse<NgramKind>(kind), lists, seed: 1);
        var rewards = model.Score(RankedList.BestFirst("p", "maybe another was", "surely another is", "x"));
        Assert.True(rewards[1] > 1 && rewards[0] < -1, $"{rewards[1]} and {rewards[0]}");
        Assert.InRange(rewards[2], -0.1, 0.1);
    }

    [Fact]
    public void Ties_teach_nothing_and_the_seed_decides_the_order()
    {
        RankedList[] lists = [.. Enumerable.Range(0, 20).Select(i => new RankedList("p", [$"a {i}", $"b {i}"], [i % 3, 0]))];
        var tied = new RankedList("p", ["a", "b"], [1, 1]);
        Assert.Equal([0f, 0f], NgramModel.Train(NgramKind.Words, [tied], 1).Score(lists[0]));
        Assert.Equal(NgramModel.Train(NgramKind.Words, lists, 1).Score(lists[1]), NgramModel.Train(NgramKind.Words, lists, 1).Score(lists[1]));
        Assert.NotEqual(NgramModel.Train(NgramKind.Words, lists, 1).Score(lists[1]), NgramModel.Train(NgramKind.Words, lists, 2).Score(lists[1]));
    }
}
