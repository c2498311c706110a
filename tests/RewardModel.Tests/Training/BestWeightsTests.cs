using RewardModel.Distributed;
using RewardModel.Ranking;
using RewardModel.Training;
using RewardModel.Training.Distributed;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training;

public class BestWeightsTests
{
    private static readonly RankingMetrics middle = Metrics(accuracy: 0.7, loss: 0.5);

    [Theory]
    [InlineData(BestBy.Accuracy, 0.8, 0.9, true)]
    [InlineData(BestBy.Accuracy, 0.7, 0.4, true)]
    [InlineData(BestBy.Accuracy, 0.7, 0.5, false)]
    [InlineData(BestBy.Accuracy, 0.6, 0.1, false)]
    [InlineData(BestBy.Loss, 0.1, 0.4, true)]
    [InlineData(BestBy.Loss, 0.9, 0.5, false)]
    [InlineData(BestBy.Last, 0.1, 0.9, true)]
    public void An_evaluation_is_better_by(BestBy bestBy, double accuracy, double loss, bool expected)
    {
        using var model = TinyModel.Create();
        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        using var best = new BestWeights(trained, bestBy, directory: null);
        Assert.Equal(expected, best.IsBetter(Metrics(accuracy, loss), middle));
        Assert.True(best.IsBetter(middle, null));
    }

    private static RankingMetrics Metrics(double accuracy, double loss)
    {
        var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        for (var i = 0; i < 50; i++)
            metrics.Add([1, 0], new([1, 0]));
        return metrics.Result with { Accuracy = accuracy, Loss = loss };
    }
}
