using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class PairSelectionTests
{
    [Theory]
    [InlineData(5)]
    [InlineData(1000)]
    public void The_lowest_pair_of_each_list_comes_in_order(int count)
    {
        var lists = Random(150, seed: 17);
        SelectedPair[] Expected(Func<double, double> valueOf) =>
        [
            .. PairsOf(lists).GroupBy(pair => pair.List)
                .Select(list => list.OrderBy(pair => valueOf(pair.Difference)).ThenBy(pair => pair.Better).ThenBy(pair => pair.Worse).First())
                .OrderBy(pair => valueOf(pair.Difference)).ThenBy(pair => pair.List).Take(count)
                .Select(pair => new SelectedPair(pair.List, pair.Better, pair.Worse)),
        ];
        Assert.Equal(Expected(difference => difference), PairSelection.MostWrong(lists, count));
        Assert.Equal(Expected(Math.Abs), PairSelection.MostUncertain(lists, count));
    }

    [Fact]
    public void Lists_by_hand()
    {
        ScoredList[] lists = [List([1, 0], [1, 0]), List([0, 5, 4], [2, 1, 0]), List([1], [1]), List([2, 3], [1, 0])];
        Assert.Equal([new(1, 0, 1), new(3, 0, 1), new(0, 0, 1)], PairSelection.MostWrong(lists, 20));
        Assert.Equal([new(0, 0, 1), new(1, 1, 2)], PairSelection.MostUncertain(lists, 2));
        Assert.Empty(PairSelection.MostWrong([List([1], [1])], 20));
    }
}
