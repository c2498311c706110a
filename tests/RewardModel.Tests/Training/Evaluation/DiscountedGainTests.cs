using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class DiscountedGainTests
{
    [Fact]
    public void A_list_by_hand()
    {
        // Scores 9, 5, 1: gains 2, 1, 0. By reward: 1, 2, 0 at discounts 1, 1 / log2(3), 1 / 2.
        var discount = 1 / Math.Log2(3);
        Assert.Equal((1 + 2 * discount) / (2 + discount), DiscountedGain.Of([List([1, 2, 0], [9, 5, 1])]), 1e-12);
        Assert.Equal(0.86, (1 + 2 * discount) / (2 + discount), 0.005);
        Assert.Equal(1, DiscountedGain.Of([List([5, 3, 3], [2, 1, 1])]));
    }

    /// <summary>Every order of answers with equal rewards.</summary>
    [Fact]
    public void Equal_rewards_are_the_mean_of_all_their_orders()
    {
        var lists = Random(120, seed: 6, most: 5);
        var expected = lists.Where(list => list.HasPairs).Select(list =>
        {
            int[][] orders =
            [
                .. Permutations([.. Enumerable.Range(0, list.Rewards.Count)])
                    .Where(order => order.Zip(order.Skip(1)).All(pair => list.Rewards[pair.First] >= list.Rewards[pair.Second])),
            ];
            int GainOf(int i) => list.Ranking.Scores.Where(score => score < list.Ranking.Scores[i]).Distinct().Count();
            double SumOf(IEnumerable<int> order) => order.Select((answer, place) => GainOf(answer) / Math.Log2(place + 2)).Sum();
            return orders.Average(SumOf) / Permutations([.. Enumerable.Range(0, list.Rewards.Count)]).Max(SumOf);
        }).Average();
        Assert.Equal(expected, DiscountedGain.Of(lists), 1e-12);
    }

    [Fact]
    public void Without_pairs_there_is_none()
    {
        Assert.Equal(double.NaN, DiscountedGain.Of([]));
        Assert.Equal(double.NaN, DiscountedGain.Of([List([1], [1]), List([1, 2], [3, 3])]));
    }

    private static IEnumerable<int[]> Permutations(int[] items) => items.Length == 0
        ? [[]]
        : items.SelectMany(first => Permutations([.. items.Where(item => item != first)]).Select(rest => (int[])[first, .. rest]));
}
