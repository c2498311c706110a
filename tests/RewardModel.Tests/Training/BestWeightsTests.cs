using RewardModel.Ranking;
using RewardModel.Training;
using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;

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
        using var best = new BestWeights(model, bestBy, directory: null);
        Assert.Equal(expected, best.IsBetter(Metrics(accuracy, loss), middle));
        Assert.True(best.IsBetter(middle, null));
    }

    [Fact]
    public void A_result_says_that_nothing_beat_the_untrained_model()
    {
        var start = new EvaluationReport(0, Metrics(0.9, 0.5), IsBest: true);
        Assert.StartsWith(
            "No evaluation was better than the one before the first step: the model still has its initial weights. ",
            Assert.Single(new TrainingResult(10, 1, start with { Step = 10 }, start, false).Doubts));
        Assert.Empty(new TrainingResult(10, 1, start with { Step = 10 }, start with { Step = 10 }, false).Doubts);
        Assert.Empty(new TrainingResult(10, 1, null, null, false).Doubts);
    }

    [Fact]
    public void A_result_says_that_its_accuracy_may_be_chance()
    {
        var evaluation = new EvaluationReport(5, Metrics(0.6, 0.5) with { AccuracyLow = 0.48, PromptCount = 71 }, IsBest: true);
        Assert.Equal(
            "The held-out accuracy of 0.600 can't be told from chance: its 95 % interval, 0.480 to 1.000 for 71 prompts, contains 0.5. "
            + "More held-out prompts make it narrower.",
            Assert.Single(new TrainingResult(10, 1, evaluation, evaluation, false).Doubts));
    }

    private static RankingMetrics Metrics(double accuracy, double loss)
    {
        var metrics = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        for (var i = 0; i < 50; i++)
            metrics.Add([1, 0], new([1, 0]));
        return metrics.Result with { Accuracy = accuracy, Loss = loss };
    }
}
