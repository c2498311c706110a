using RewardModel.Lists;
using RewardModel.Training.Data;

namespace GenerateSortingTask;

/// <summary>
/// Lists such as <c>Sort 7 2 19 4 ascending:</c>, whose answers are orders of the same items: the fewer pairs of items stand the
/// wrong way round (inversions), the better. All answers of a list have the same words, so that nothing but their order, read
/// against the direction that the prompt asks for, can rank them.
/// </summary>
internal sealed class SortingTask(ulong seed)
{
    private const int MostInversions = Sizes.ItemsPerPrompt * (Sizes.ItemsPerPrompt - 1) / 2;

    private readonly SplitMix64 random = new(seed);

    /// <summary>Lists with as many different prompts.</summary>
    public IReadOnlyList<RankedList> Lists(int count)
    {
        var lists = new Dictionary<string, RankedList>(count);
        while (lists.Count < count)
        {
            var list = NextList();
            lists.TryAdd(list.Prompt, list);
        }
        return [.. lists.Values];
    }

    private RankedList NextList()
    {
        var items = Draw(Enumerable.Range(1, Sizes.LargestItem), Sizes.ItemsPerPrompt);
        var ascending = random.NextBelow(2) == 0;
        int[] wanted = ascending ? [.. items.Order()] : [.. items.OrderDescending()];
        var inversionCounts = Draw(Enumerable.Range(0, MostInversions + 1), Sizes.AnswersPerPrompt);
        return RankedList.BestFirst(
            $"Sort {string.Join(' ', items)} {(ascending ? "ascending" : "descending")}:",
            [.. inversionCounts.Order().Select(inversionCount => string.Join(' ', WithInversions(wanted, inversionCount)))]);
    }

    private int[] Draw(IEnumerable<int> from, int count)
    {
        var numbers = from.ToArray();
        random.Shuffle<int>(numbers);
        return numbers[..count];
    }

    /// <summary>The items in an order that has exactly so many pairs the other way round than <paramref name="wanted"/>.</summary>
    private List<int> WithInversions(int[] wanted, int inversionCount)
    {
        // Item i comes to stand before as many earlier ones as its own share says, which is at most i.
        var shares = new int[wanted.Length];
        while (inversionCount > 0)
        {
            var i = random.NextBelow(wanted.Length);
            if (shares[i] == i)
                continue;
            shares[i]++;
            inversionCount--;
        }
        var order = new List<int>(wanted.Length);
        for (var i = 0; i < wanted.Length; i++)
            order.Insert(i - shares[i], wanted[i]);
        return order;
    }
}
