using RewardModel.Ranking;
using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class BaselineComparisonsTests
{
    [Fact]
    public void Chance_has_the_models_own_interval()
    {
        var evaluation = EvaluationOf(Random(200, seed: 2), []);
        var (chance, metrics) = (evaluation.Baselines[0], evaluation.Metrics);
        Assert.Equal(("chance", 0.5, metrics.PairCount), (chance.Name, chance.Accuracy, chance.PairCount));
        Assert.Equal(
            (metrics.Accuracy - 0.5, metrics.AccuracyLow - 0.5, metrics.AccuracyHigh - 0.5),
            (chance.Difference, chance.DifferenceLow, chance.DifferenceHigh));
    }

    [Fact]
    public void Lengths_and_models_are_measured_on_the_pairs_that_they_know()
    {
        var lists = Random(200, seed: 2);
        var random = new Random(1);
        float[]?[] scores = [.. lists.Select((list, i) => i % 3 == 0 ? null : list.Rewards.Select(_ => (float)random.Next(3)).ToArray())];
        var baselines = EvaluationOf(lists, [("words", scores), ("nothing", new float[]?[200])]).Baselines;
        Assert.Equal(["chance", "longer", "shorter", "words"], baselines.Select(baseline => baseline.Name));
        var all = PairsOf(lists).ToArray();
        double LengthOf((int List, int Better, int Worse, double Difference) pair) =>
            lists[pair.List].TokenCounts[pair.Better] - lists[pair.List].TokenCounts[pair.Worse];
        AssertBaseline(baselines[1], [.. all.Select(pair => (lists[pair.List].Prompt, pair.Difference, LengthOf(pair)))]);
        AssertBaseline(baselines[2], [.. all.Select(pair => (lists[pair.List].Prompt, pair.Difference, -LengthOf(pair)))]);
        AssertBaseline(
            baselines[3],
            [
                .. all.Where(pair => pair.List % 3 != 0).Select(pair => (
                    lists[pair.List].Prompt, pair.Difference, (double)scores[pair.List]![pair.Better] - scores[pair.List]![pair.Worse])),
            ]);
    }

    [Fact]
    public void Two_models_are_compared_by_their_rewards()
    {
        var lists = Random(100, seed: 5);
        var same = PairedComparison.Of(new ScoredLists(lists), [.. lists.Select(list => list.Rewards)], seed: 0)!;
        Assert.Equal((0, 1), (same.Difference.Difference, same.Difference.Probability));
        Assert.Equal(same.Accuracy, same.OtherAccuracy);
        var opposite = PairedComparison.Of(
            new ScoredLists(lists), [.. lists.Select(list => list.Rewards.Select(reward => -reward).ToArray())], seed: 0)!;
        Assert.Equal(1 - opposite.Accuracy, opposite.OtherAccuracy, 1e-12);
        Assert.Equal(same.Accuracy - (1 - same.Accuracy), opposite.Difference.Difference, 1e-12);
        var perfect = PairedComparison.Of(
            new ScoredLists(lists), [.. lists.Select(list => list.Ranking.Scores.Select(score => (float)score).ToArray())], seed: 0)!;
        Assert.Equal(1, perfect.OtherAccuracy);
        Assert.Equal(same.Accuracy - 1, perfect.Difference.Difference, 1e-12);
        Assert.True(perfect.Difference.High < 0 && perfect.Difference.Probability < 0.001);
        Assert.Null(PairedComparison.Of(new ScoredLists(lists), new float[]?[100], seed: 0));
    }

    private static void AssertBaseline(BaselineComparison baseline, (UInt128 Prompt, double Difference, double Other)[] pairs)
    {
        var (accuracy, other) = (AccuracyOf(pairs.Select(pair => pair.Difference)), AccuracyOf(pairs.Select(pair => pair.Other)));
        Assert.Equal(pairs.Length, baseline.PairCount);
        Assert.Equal(other, baseline.Accuracy, 1e-12);
        Assert.Equal(accuracy - other, baseline.Difference, 1e-12);
        // The variance of a ratio of sums, by prompt.
        var errors = pairs.GroupBy(pair => pair.Prompt).Select(prompt => prompt.Sum(
            pair => (Math.Sign(pair.Difference) - Math.Sign(pair.Other)) / 2.0 - (accuracy - other)));
        var error = Math.Sqrt(errors.Sum(error => error * error)) / pairs.Length;
        Assert.InRange((baseline.DifferenceHigh - baseline.DifferenceLow) / (2 * 1.96 * error), 0.93, 1.07);
        Assert.InRange(baseline.Difference, baseline.DifferenceLow, baseline.DifferenceHigh);
    }

    private static RewardEvaluation EvaluationOf(ScoredList[] lists, IReadOnlyList<(string, IReadOnlyList<float[]?>)> models) =>
        Evaluations.Of(lists, RankingLoss.ByName("log-sigmoid"), models);
}
