using RewardModel.Ranking;
using RewardModel.Training.Evaluation;

namespace RewardModel.Tests.Training.Evaluation;

public class ConsistencyCheckTests
{
    [Fact]
    public void Two_lists_by_hand()
    {
        // Changes 0.5, 0, 1.5 and 0, 2; pairs (0,1) and (0,2) of the first list, whose other two are tied, and that of the second, which
        // turns.
        var check = ConsistencyCheck.Of(
            "order", [[3, 1, 2], [0, 1]], [[2.5f, 1, 0.5f], [0, -1]], [new RankingList([1, 0, 0]), new RankingList([0, 1])]);
        Assert.Equal(("order", 2, 0.8, 2), (check.Edit, check.ListCount, check.MeanChange, check.LargestChange));
        Assert.Equal(1.0 / 3, check.ChangedPairShare, 1e-12);
        // Variances 2/3 and 1/4.
        Assert.Equal(0.8 / Math.Sqrt((2.0 / 3 + 0.25) / 2), check.RelativeChange, 1e-12);
    }

    [Fact]
    public void A_pair_that_becomes_equal_has_changed_and_nothing_is_NaN_but_what_cannot_be_told()
    {
        var check = ConsistencyCheck.Of("order", [[1, 0]], [[1, 1]], [new RankingList([1, 0])]);
        Assert.Equal((0.5, 1, 1, 1), (check.MeanChange, check.LargestChange, check.RelativeChange, check.ChangedPairShare));
        var flat = ConsistencyCheck.Of("order", [[1, 1]], [[1, 1]], [new RankingList([1, 1])]);
        Assert.Equal((0, double.NaN, double.NaN), (flat.MeanChange, flat.RelativeChange, flat.ChangedPairShare));
    }
}
