using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class ListsPerPromptTests
{
    // Prompt p has p lists.
    private static readonly TokenizedList[] lists =
    [
        .. Enumerable.Range(1, 8).SelectMany(prompt => Enumerable.Range(0, prompt)
            .Select(i => new TokenizedList([prompt], [[i], [99]], [1, 0]))),
    ];

    [Fact]
    public void At_most_so_many_lists_of_a_prompt_are_kept()
    {
        var (kept, dropped) = ListsPerPrompt.Limit(lists, most: 3, seed: 1);
        Assert.Equal(kept.Order(), kept);
        Assert.Equal([1, 2, 3, 3, 3, 3, 3, 3], kept.CountBy(index => lists[index].PromptIds[0]).Select(pair => pair.Value));
        Assert.Equal(36 - 21, dropped);
        Assert.Equal(0, ListsPerPrompt.Limit(lists, most: 8, seed: 1).DroppedCount);
    }

    [Fact]
    public void The_same_lists_are_kept_in_any_order_and_others_by_another_seed()
    {
        HashSet<TokenizedList> Kept(TokenizedList[] all, ulong seed) =>
            [.. ListsPerPrompt.Limit(all, most: 2, seed).Kept.Select(index => all[index])];
        var kept = Kept(lists, 1);
        Assert.Equal(kept, Kept([.. SplitMix64.Permutation(lists.Length, 4).Select(index => lists[index])], 1));
        Assert.True(Kept([.. lists.Where(list => list.PromptIds[0] > 4)], 1).SetEquals(kept.Where(list => list.PromptIds[0] > 4)));
        Assert.NotEqual(kept, Kept(lists, 2));
    }

    [Fact]
    public void Every_list_is_kept_as_often()
    {
        var counts = new int[lists.Length];
        for (var seed = 0UL; seed < 2000; seed++)
            foreach (var index in ListsPerPrompt.Limit(lists, most: 2, seed).Kept)
                counts[index]++;
        // Of the prompt with eight lists: 500 each with a standard deviation of 19.
        Assert.All(counts[^8..], count => Assert.InRange(count, 400, 600));
    }

    [Fact]
    public void None_of_a_prompt_is_refused() => Assert.Throws<ArgumentOutOfRangeException>("most", () => ListsPerPrompt.Limit(lists, 0, 1));
}
