using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class LengthBiasTests
{
    [Fact]
    public void Its_shares_are_those_of_the_pairs_of_different_lengths()
    {
        var lists = Random(300, seed: 3);
        var bias = LengthBias.Of(new ScoredLists(lists), seed: 0)!;
        var pairs = PairsOf(lists).Select(pair => (
            pair.Difference, Length: Math.Sign(lists[pair.List].TokenCounts[pair.Better] - lists[pair.List].TokenCounts[pair.Worse])))
            .Where(pair => pair.Length != 0).ToArray();
        Assert.Equal((double)pairs.Count(pair => pair.Length > 0) / pairs.Length, bias.LongerIsBetter, 1e-12);
        Assert.Equal(AccuracyOf(pairs.Select(pair => pair.Difference * pair.Length)), bias.LongerIsPreferred, 1e-12);
        Assert.Equal(AccuracyOf(pairs.Where(pair => pair.Length > 0).Select(pair => pair.Difference)), bias.BetterIsLonger!.Accuracy, 1e-12);
        Assert.Equal(AccuracyOf(pairs.Where(pair => pair.Length < 0).Select(pair => pair.Difference)), bias.BetterIsShorter!.Accuracy, 1e-12);
        Assert.Equal(pairs.Length, bias.BetterIsLonger.PairCount + bias.BetterIsShorter.PairCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_partial_correlation_is_that_of_the_residuals(bool areOrder)
    {
        var lists = Random(300, seed: 3);
        lists[5] = lists[5] with { ScoresAreOrder = areOrder };
        // Within lists: each number less the mean of its list.
        double[] Centred(Func<ScoredList, int, double> valueOf) =>
        [
            .. lists.SelectMany(list => Enumerable.Range(0, list.Rewards.Count).Select(
                i => valueOf(list, i) - Enumerable.Range(0, list.Rewards.Count).Average(j => valueOf(list, j)))),
        ];
        static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
        static double Correlation(double[] a, double[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));
        static double[] Residuals(double[] of, double[] by) => [.. of.Zip(by, (y, x) => y - Dot(of, by) / Dot(by, by) * x)];

        var rewards = Centred((list, i) => list.Rewards[i]);
        var lengths = Centred((list, i) => list.TokenCounts[i]);
        var scores = Centred((list, i) => !areOrder ? list.Ranking.Scores[i] : list.Rewards.Count == 1 ? 0
            : Enumerable.Range(0, list.Rewards.Count).Where(j => j != i).Average(
                j => (Math.Sign(list.Ranking.Scores[i] - list.Ranking.Scores[j]) + 1) / 2.0));
        var bias = LengthBias.Of(new ScoredLists(lists), seed: 0)!;
        Assert.Equal(Correlation(rewards, lengths), bias.Correlation, 1e-10);
        Assert.Equal(Correlation(Residuals(rewards, scores), Residuals(lengths, scores)), bias.PartialCorrelation, 1e-10);
    }

    [Fact]
    public void Rewards_that_are_lengths_correlate_with_them_and_rewards_that_are_scores_have_nothing_else_in_them()
    {
        var lists = Random(100, seed: 4);
        LengthBias BiasOf(Func<ScoredList, IEnumerable<float>> rewardsOf) =>
            LengthBias.Of(new ScoredLists([.. lists.Select(list => list with { Rewards = [.. rewardsOf(list)] })]), seed: 0)!;
        var longer = BiasOf(list => list.TokenCounts.Select(count => (float)count));
        Assert.Equal(1, longer.LongerIsPreferred);
        Assert.Equal(1, longer.Correlation, 1e-12);
        Assert.Equal(1, longer.PartialCorrelation, 1e-9);
        Assert.Equal(double.NaN, BiasOf(list => list.Ranking.Scores.Select(score => 2 * (float)score)).PartialCorrelation);
        var flat = BiasOf(list => list.Rewards.Select(_ => 1f));
        Assert.Equal((0.5, double.NaN, double.NaN), (flat.LongerIsPreferred, flat.Correlation, flat.PartialCorrelation));
    }

    [Fact]
    public void Two_pairs_by_hand()
    {
        // Rewards 2 and 0 of 30 and 10 tokens, the better first; 1 and 3 of 20 and 40, the better first. Centred: rewards 1, -1, -1, 1,
        // lengths 10, -10, -10, 10, scores 0.5, -0.5, 0.5, -0.5: length says all of the reward, the score nothing of either.
        var bias = LengthBias.Of(new ScoredLists([List([2, 0], [1, 0], tokens: [30, 10]), List([1, 3], [1, 0], tokens: [20, 40])]), seed: 0)!;
        Assert.Equal((0.5, 1, 1, 0), (bias.LongerIsBetter, bias.LongerIsPreferred, bias.BetterIsLonger!.Accuracy, bias.BetterIsShorter!.Accuracy));
        Assert.Equal(1, bias.Correlation, 1e-12);
        Assert.Equal(1, bias.PartialCorrelation, 1e-12);
        Assert.Equal([(30, 2f), (10, 0f), (20, 1f), (40, 3f)], bias.Points.Select(point => (point.TokenCount, point.Reward)));
    }

    [Fact]
    public void Without_answers_of_different_lengths_there_is_none()
    {
        Assert.Null(LengthBias.Of(new ScoredLists([]), seed: 0));
        Assert.Null(LengthBias.Of(new ScoredLists([List([1, 0], [1, 0], tokens: [7, 7]), List([1, 0], [1, 1], tokens: [7, 9])]), seed: 0));
        var longer = LengthBias.Of(new ScoredLists([List([1, 0], [1, 0], tokens: [8, 7])]), seed: 0)!;
        Assert.Null(longer.BetterIsShorter);
        Assert.Equal(1, longer.LongerIsPreferred);
    }

    [Fact]
    public void Points_are_a_sample_of_all_answers_that_a_seed_gives_again()
    {
        ScoredList[] lists = [.. Enumerable.Range(0, 6000).Select(i => List([i, -i], [1, 0], tokens: [2 * i, 2 * i + 1]))];
        LengthPoint[] PointsOf(ulong seed) => [.. LengthBias.Of(new ScoredLists(lists), seed)!.Points];
        var points = PointsOf(1);
        Assert.Equal(2000, points.Length);
        Assert.Equal(2000, points.Select(point => point.TokenCount).Distinct().Count());
        Assert.Equal(points, PointsOf(1));
        Assert.NotEqual(points, PointsOf(2));
        // Of every tenth part about a tenth, and as many better as worse answers.
        Assert.All(Enumerable.Range(0, 10), part => Assert.InRange(points.Count(point => point.TokenCount / 1200 == part), 150, 250));
        Assert.InRange(points.Count(point => point.TokenCount % 2 == 0), 900, 1100);
    }
}
