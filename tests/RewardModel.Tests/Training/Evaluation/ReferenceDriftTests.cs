using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class ReferenceDriftTests
{
    [Fact]
    public void Three_references_by_hand()
    {
        // The evaluated rewards 0, 2, 4, 6 have the mean 3 and the standard deviation sqrt(5).
        var drift = ReferenceDrift.Of("references.jsonl", [1, 2, 3], [List([0, 2], [1, 0]), List([4, 6], [1, 0])]);
        Assert.Equal(("references.jsonl", 3, 2, 0.5), (drift.Name, drift.Count, drift.Mean, drift.ShareAbove));
        Assert.Equal(Math.Sqrt(2.0 / 3), drift.StandardDeviation, 1e-12);
        Assert.Equal(2 / Math.Sqrt(5), drift.Drift, 1e-12);
    }

    [Fact]
    public void Rewards_that_do_not_vary_have_no_scale()
    {
        var drift = ReferenceDrift.Of("r", [1], [List([3, 3], [1, 0])]);
        Assert.Equal((0, double.NaN, 1), (drift.StandardDeviation, drift.Drift, drift.ShareAbove));
    }
}
