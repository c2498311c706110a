using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class CalibrationTests
{
    [Fact]
    public void Bins_and_errors_are_as_counted_one_by_one()
    {
        var lists = Random(200, seed: 8);
        var calibration = Calibration.Of(new ScoredLists(lists))!;
        var pairs = PairsOf(lists).Select(pair => (
            lists[pair.List].Prompt, pair.Difference, Confidence: 1 / (1 + Math.Exp(-Math.Abs(pair.Difference))))).ToArray();
        Assert.Equal(pairs.Length, calibration.Bins.Sum(bin => bin.PairCount));
        Assert.All(calibration.Bins, bin =>
        {
            var inside = pairs.Where(pair => pair.Confidence >= bin.Low && (pair.Confidence < bin.High || bin.High == 1)).ToArray();
            Assert.Equal(0.05, bin.High - bin.Low, 1e-12);
            Assert.Equal(inside.Length, bin.PairCount);
            Assert.Equal(inside.Average(pair => pair.Confidence), bin.Confidence, 1e-12);
            Assert.Equal(AccuracyOf(inside.Select(pair => pair.Difference)), bin.Accuracy, 1e-12);
            var (low, high) = AccuracyInterval.Of(
            [
                .. inside.GroupBy(pair => pair.Prompt).Select(prompt => (
                    prompt.Sum(pair => (Math.Sign(pair.Difference) + 1) / 2.0), prompt.LongCount())),
            ]);
            Assert.Equal(low, bin.AccuracyLow, 1e-12);
            Assert.Equal(high, bin.AccuracyHigh, 1e-12);
        });
        Assert.Equal(
            pairs.GroupBy(pair => Math.Min(9, Math.Floor((pair.Confidence - 0.5) * 20)))
                .Sum(bin => Math.Abs(bin.Sum(pair => (Math.Sign(pair.Difference) + 1) / 2.0 - pair.Confidence))) / pairs.Length,
            calibration.ExpectedCalibrationError, 1e-12);
        Assert.Equal(pairs.Average(pair => Math.Pow(1 / (1 + Math.Exp(pair.Difference)), 2)), calibration.Brier, 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.01)]
    [InlineData(300)]
    public void The_temperature_is_the_best_of_a_grid(double scale)
    {
        ScoredList[] lists =
            [.. Random(200, seed: 9).Select(list => list with { Rewards = [.. list.Rewards.Select(reward => (float)(scale * reward))] })];
        double[] differences = [.. PairsOf(lists).Select(pair => pair.Difference)];
        double LossOf(double temperature) => differences.Average(
            difference => Math.Max(0, -difference / temperature) + Math.Log(1 + Math.Exp(-Math.Abs(difference) / temperature)));
        var temperature = Calibration.Of(new ScoredLists(lists))!.Temperature;
        // Steps of a thousandth.
        var best = Enumerable.Range(-3000, 8000).Select(step => scale * Math.Exp(step / 1000.0)).MinBy(LossOf);
        Assert.Equal(1, temperature / best, 0.001);
        Assert.True(LossOf(temperature) <= LossOf(best));
    }

    [Fact]
    public void Three_pairs_by_hand()
    {
        // Right by 1 twice and wrong by 1: sigmoid(1 / T) is 2/3, so T is 1 / log(2). Confidence is 0.731 against 2/3.
        var calibration = Calibration.Of(new ScoredLists([List([1, 0], [1, 0]), List([4, 3], [1, 0]), List([0, 1], [1, 0])]))!;
        Assert.Equal(1 / Math.Log(2), calibration.Temperature, 1e-9);
        var bin = Assert.Single(calibration.Bins);
        Assert.Equal((0.7, 0.75, 3), (bin.Low, bin.High, bin.PairCount));
        Assert.Equal(0.7310585786300049 - 2.0 / 3, calibration.ExpectedCalibrationError, 1e-12);
        Assert.Equal((2 * Math.Pow(0.2689414213699951, 2) + Math.Pow(0.7310585786300049, 2)) / 3, calibration.Brier, 1e-12);
    }

    [Theory]
    [InlineData(1, 2, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(1, -1, double.PositiveInfinity)]
    [InlineData(1, -3, double.PositiveInfinity)]
    [InlineData(0, 0, double.PositiveInfinity)]
    public void The_ends_are_0_where_no_pair_is_wrong_and_infinity_where_no_scale_helps(float first, float second, double expected) =>
        Assert.Equal(expected, Calibration.Of(new ScoredLists([List([first, 0], [1, 0]), List([second, 0], [1, 0])]))!.Temperature);

    [Fact]
    public void Enormous_and_tiny_rewards_have_a_temperature()
    {
        double TemperatureOf(float scale) => Calibration.Of(
            new ScoredLists([List([scale, 0], [1, 0]), List([2 * scale, scale], [1, 0]), List([0, scale], [1, 0])]))!.Temperature;
        Assert.Equal(1, TemperatureOf(1e37f) / 1e37f * Math.Log(2), 1e-6);
        Assert.Equal(1, TemperatureOf(1e-37f) / 1e-37f * Math.Log(2), 1e-6);
        // One pair is wrong by next to nothing: the root lies far from where the search begins.
        Assert.InRange(
            Calibration.Of(new ScoredLists([List([10, 0], [1, 0]), List([0, 1e-4f], [1, 0])]))!.Temperature, 0.1, 10);
    }

    [Fact]
    public void Without_pairs_there_is_none() => Assert.Null(Calibration.Of(new ScoredLists([List([1], [1]), List([1, 2], [3, 3])])));
}
