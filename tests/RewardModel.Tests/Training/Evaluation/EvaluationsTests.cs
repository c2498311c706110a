using System.Text.Json;
using System.Text.RegularExpressions;
using RewardModel.Ranking;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class EvaluationsTests
{
    private static readonly RankingLoss loss = RankingLoss.ByName("log-sigmoid");

    [Fact]
    public void The_metrics_are_those_of_training_but_for_the_interval()
    {
        var lists = Random(200, seed: 20);
        var accumulator = new RankingMetricsAccumulator(loss);
        foreach (var list in lists)
            accumulator.Add(list.Rewards, list.Ranking, [(int)list.Prompt]);
        var (expected, found) = (accumulator.Result, EvaluationOf(lists).Metrics);
        Assert.Equal(expected, found with { AccuracyLow = expected.AccuracyLow, AccuracyHigh = expected.AccuracyHigh });
        // Both intervals are of the same prompts: nearly the same, and not the same.
        Assert.Equal(expected.AccuracyLow, found.AccuracyLow, 0.01);
        Assert.Equal(expected.AccuracyHigh, found.AccuracyHigh, 0.01);
        Assert.NotEqual(expected.AccuracyLow, found.AccuracyLow);
    }

    [Fact]
    public void Without_lists_or_pairs_figures_are_empty()
    {
        var empty = EvaluationOf([]);
        Assert.Equal((0, double.NaN, double.NaN), (empty.Metrics.ListCount, empty.Metrics.AccuracyLow, empty.Ndcg));
        Assert.Empty(empty.Baselines);
        Assert.Empty(empty.Tables);
        Assert.All(
            new object?[] { empty.Length, empty.BestOfN, empty.Calibration, empty.Ties, empty.HumanAgreement, empty.Rewards, empty.Benchmark },
            Assert.Null);
        var pairless = EvaluationOf([List([1], [1]), List([1, 2], [5, 5])]);
        Assert.Empty(pairless.Baselines);
        Assert.All(
            new object?[] { pairless.Length, pairless.BestOfN, pairless.Calibration, pairless.HumanAgreement, pairless.Benchmark }, Assert.Null);
        Assert.Equal((2, 1), (pairless.Metrics.ListsWithoutPairsCount, pairless.Ties!.TiedPairCount));
        Assert.Equal(2, pairless.Rewards!.Rewards.Sum(bin => bin.Count) - 1);
    }

    [Fact]
    public void A_model_that_gives_everything_the_same_reward_is_as_good_as_chance()
    {
        var flat = EvaluationOf([.. Random(80, seed: 21).Select(list => list with { Rewards = [.. list.Rewards.Select(_ => 3f)] })]);
        Assert.Equal((0.5, 0, 0.25), (flat.Metrics.Accuracy, flat.Baselines[0].Difference, flat.Calibration!.Brier));
        Assert.Equal(double.PositiveInfinity, flat.Calibration.Temperature);
        Assert.Equal(0, flat.Calibration.ExpectedCalibrationError);
        Assert.All(flat.BestOfN!.Points, point => Assert.Equal(point.Random, point.Chosen, 1e-12));
        Assert.Equal(flat.Metrics.PairCount, flat.Ties!.EqualRewardPairCount);
    }

    [Fact]
    public void A_model_that_is_always_right_is_not_sure_of_it()
    {
        ScoredList[] lists =
            [.. Random(80, seed: 22).Select(list => list with { Rewards = [.. list.Ranking.Scores.Select(score => (float)score)] })];
        var right = EvaluationOf(lists);
        Assert.Equal((1, 0), (right.Metrics.Accuracy, right.Calibration!.Temperature));
        Assert.Equal(1, right.Ndcg, 1e-12);
        Assert.Equal(1, right.Metrics.AccuracyHigh, 1e-12);
        Assert.InRange(right.Metrics.AccuracyLow, 0.85, 0.97);
        Assert.All(right.BestOfN!.Points, point => Assert.Equal(0, point.Regret, 1e-12));
    }

    [Fact]
    public void The_order_of_the_lists_changes_nothing_but_the_draws()
    {
        var lists = Random(150, seed: 23);
        RewardEvaluation WithoutDraws(IEnumerable<ScoredList> some) => EvaluationOf([.. some]) is var evaluation
            ? evaluation with
            {
                Metrics = evaluation.Metrics with { AccuracyLow = 0, AccuracyHigh = 0 },
                Baselines = [],
                Length = evaluation.Length! with { Points = [] },
            }
            : null!;
        Assert.Equal(Rounded(WithoutDraws(lists).ToJson()), Rounded(WithoutDraws(lists.Reverse()).ToJson()));
    }

    [Fact]
    public void An_evaluation_is_the_same_again()
    {
        var lists = Random(150, seed: 24);
        Assert.Equal(EvaluationOf(lists).ToJson(), EvaluationOf(lists).ToJson());
        Assert.NotEqual(EvaluationOf(lists).ToJson(), Evaluations.Of(lists, loss, [], seed: 1).ToJson());
    }

    [Fact]
    public void It_is_read_as_it_was_written()
    {
        ShownTokens tokens = new(["a", "\n"], 3, ["é"], 1);
        var evaluation = EvaluationOf(Random(60, seed: 25)) with
        {
            Ndcg = double.NaN,
            Benchmark = BenchmarkScores.Of([List([1, 0], [1, 0]) with { Group = "math-prm" }]),
            Reference = ReferenceDrift.Of("r", [1], [List([3, 3], [1, 0])]),
            Consistency = [ConsistencyCheck.Of("order", [[1, 1]], [[1, 1]], [new RankingList([1, 1])])],
            MostWrong = [new ShownPair("f", null, tokens, new ShownAnswer(tokens, 1, 0.1f), new ShownAnswer(tokens, 0, -0.1f))],
        };
        evaluation = evaluation with { Calibration = evaluation.Calibration! with { Temperature = double.PositiveInfinity } };
        var read = RewardEvaluation.FromJson(evaluation.ToJson());
        Assert.Equal(evaluation.ToJson(), read.ToJson());
        Assert.Equal(evaluation.Metrics, read.Metrics);
        Assert.Equal(evaluation.Tables.SelectMany(table => table.Rows), read.Tables.SelectMany(table => table.Rows));
        Assert.Equal((double.NaN, double.PositiveInfinity, double.NaN), (read.Ndcg, read.Calibration!.Temperature, read.Reference!.Drift));
        Assert.Equal(evaluation.Rewards!.Differences, read.Rewards!.Differences);
        Assert.Equal(evaluation.Ties, read.Ties);
        Assert.Equal(6, read.MostWrong[0].Prompt.Count);
        // Nothing was missed: every member of the text is a member of what is read.
        using var json = JsonDocument.Parse(evaluation.ToJson());
        Assert.Equal(typeof(RewardEvaluation).GetProperties().Length, json.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public void What_is_wrong_with_rewards_is_told() => Assert.Equal(
        "A list has 2 rewards and 3 scores; expected as many of both.",
        Assert.Throws<ArgumentException>(() => EvaluationOf([List([1, 0], [1, 0, 2])])).Message);

    private static RewardEvaluation EvaluationOf(ScoredList[] lists) => Evaluations.Of(lists, loss, []);

    /// <summary>Sums in another order differ in their last digits.</summary>
    private static string Rounded(string json) =>
        Regex.Replace(json, @"-?\d+\.\d+(E-?\d+)?", number => $"{Math.Round(double.Parse(number.Value), 9) + 0.0}");
}
