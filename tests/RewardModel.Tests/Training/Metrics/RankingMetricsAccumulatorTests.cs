using FsCheck;
using FsCheck.Fluent;
using RewardModel.Ranking;
using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training.Metrics;

public class RankingMetricsAccumulatorTests
{
    private const double Precision = 1e-12;

    [Fact]
    public void Every_figure_of_a_small_example_is_as_by_hand()
    {
        var accumulator = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        // Pairs (0,1) right by 1, (0,2) wrong by 1, (1,2) wrong by 2: the highest reward is the worst answer's.
        accumulator.Add([1f, 0f, 2f], new([2, 1, 0]));
        // One pair, right by 3.
        accumulator.Add([-1f, 2f], new([0, 1]));
        var result = accumulator.Result;

        Assert.Equal(2, result.ListCount);
        Assert.Equal(0, result.ListsWithoutPairsCount);
        Assert.Equal(5, result.AnswerCount);
        Assert.Equal(4, result.PairCount);
        Assert.Equal(2.0 / 4, result.Accuracy);
        Assert.Equal((1 - 1 - 2 + 3) / 4.0, result.Margin);
        Assert.Equal((-1.0 / 3 + 1) / 2, result.KendallTau, Precision);
        Assert.Equal(1.0 / 2, result.TopAnswerAccuracy);
        // log(1 + e^-1), log(1 + e), log(1 + e^2); log(1 + e^-3).
        var firstList = (0.31326168751822286 + 1.3132616875182228 + 2.1269280110429727) / 3;
        Assert.Equal((firstList + 0.04858735157374196) / 2, result.Loss, Precision);
        Assert.Equal(4.0 / 5, result.RewardMean, Precision);
        // Squares 1 + 0 + 4 + 1 + 4 = 10; 10 / 5 - 0.8^2 = 1.36.
        Assert.Equal(Math.Sqrt(1.36), result.RewardStandardDeviation, Precision);
        Assert.Equal(-1, result.RewardMin);
        Assert.Equal(2, result.RewardMax);
    }

    [Fact]
    public void The_loss_is_the_one_that_is_given()
    {
        var accumulator = new RankingMetricsAccumulator(RankingLoss.ByName("sigmoid"));
        accumulator.Add([1f, 0f], new([1, 0]));
        accumulator.Add([5f, 5f], new([1, 0]));
        Assert.Equal((-0.7310585786300049 - 0.5) / 2, accumulator.Result.Loss, Precision);
    }

    [Fact]
    public void Equal_answers_are_a_tie()
    {
        var accumulator = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        // Pairs: (0,1) right by 1, (1,2) wrong by 1; tau-b: 0 / sqrt(2 * 2).
        accumulator.Add([3f, 2f, 3f], new([2, 1, 0]) { EqualAnswers = [0, 1, 0] });
        accumulator.Add([1f, 1f], new([1, 0]) { EqualAnswers = [0, 0] });
        var result = accumulator.Result;
        Assert.Equal((2, 1, 2L), (result.ListCount, result.ListsWithoutPairsCount, result.PairCount));
        Assert.Equal((0.5, 0, 0), (result.Accuracy, result.Margin, result.KendallTau));
        Assert.Equal((0.31326168751822286 + 1.3132616875182228) / 2, result.Loss, Precision);
        Assert.Equal(0.5, result.TopAnswerAccuracy);
    }

    [Fact]
    public void Tied_scores_make_no_pair()
    {
        // Pairs: (0,1) and (0,2); tau-b: 2 / sqrt(2 * 3).
        var result = Of([3f, 1f, 2f], [1, 0, 0]);
        Assert.Equal(2, result.PairCount);
        Assert.Equal(1, result.Accuracy);
        Assert.Equal(1.5, result.Margin);
        Assert.Equal(2 / Math.Sqrt(6), result.KendallTau, Precision);
    }

    [Fact]
    public void Equal_rewards_count_one_half()
    {
        // Of three pairs two are right and one undecided; tau-b: 2 / sqrt(3 * 2).
        var result = Of([2f, 1f, 1f], [2, 1, 0]);
        Assert.Equal(2.5 / 3, result.Accuracy, Precision);
        Assert.Equal(2 / Math.Sqrt(6), result.KendallTau, Precision);
    }

    [Fact]
    public void Tau_b_with_ties_on_both_sides_is_as_by_hand()
    {
        // Of 6 pairs: 5 with different scores, 5 with different rewards; 4 concordant, 0 discordant.
        var result = Of([1f, 2f, 2f, 3f], [1, 1, 2, 3]);
        Assert.Equal(4 / Math.Sqrt(5 * 5), result.KendallTau, Precision);
    }

    [Fact]
    public void A_constant_model_scores_one_half_and_tau_0()
    {
        var result = Of([7f, 7f, 7f, 7f], [3, 2, 1, 1]);
        Assert.Equal(0.5, result.Accuracy);
        Assert.Equal(0, result.KendallTau);
        Assert.Equal(0.25, result.TopAnswerAccuracy);
        Assert.Equal(0, result.RewardStandardDeviation);
    }

    [Fact]
    public void Any_of_several_best_scored_answers_may_be_on_top()
    {
        Assert.Equal(1, Of([0f, 2f, 1f], [5, 5, 1]).TopAnswerAccuracy);
        Assert.Equal(0.5, Of([2f, 1f, 2f], [5, 5, 1]).TopAnswerAccuracy);
    }

    [Fact]
    public void Lists_without_pairs_count_in_the_rewards_only()
    {
        var accumulator = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        accumulator.Add([1f, 0f], new([1, 0]));
        var alone = accumulator.Result;
        accumulator.Add([9f], new([1]));
        accumulator.Add([4f, 6f], new([2, 2]));
        var result = accumulator.Result;
        Assert.Equal(
            alone with
            {
                ListCount = 3,
                ListsWithoutPairsCount = 2,
                AnswerCount = 5,
                RewardMean = 4,
                RewardMax = 9,
                RewardStandardDeviation = Math.Sqrt((9 + 16 + 25 + 0 + 4) / 5.0),
            },
            result);
    }

    [Fact]
    public void Without_lists_the_figures_are_NaN()
    {
        var result = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid")).Result;
        Assert.Equal([0, 0, 0, 0], [result.ListCount, result.ListsWithoutPairsCount, result.AnswerCount, result.PairCount]);
        Assert.All(
            [
                result.Loss, result.Accuracy, result.Margin, result.KendallTau, result.TopAnswerAccuracy,
                result.RewardMean, result.RewardStandardDeviation, result.RewardMin, result.RewardMax,
            ],
            figure => Assert.Equal(double.NaN, figure));
    }

    [Fact]
    public void Rewards_of_the_largest_size_stay_finite()
    {
        var result = Of([-float.MaxValue, float.MaxValue], [1, 0]);
        Assert.Equal(2.0 * float.MaxValue, result.Loss);
        Assert.Equal(-2.0 * float.MaxValue, result.Margin);
        Assert.Equal(float.MaxValue, result.RewardStandardDeviation);
    }

    [Fact]
    public void The_deviation_of_large_rewards_close_together_is_exact() =>
        Assert.Equal(1, Of([16_000_000f, 16_000_002f], [1, 0]).RewardStandardDeviation);

    [Fact]
    public void Rewards_and_scores_must_be_as_many()
    {
        var exception = Assert.Throws<ArgumentException>(() => Of([1f, 2f], [1, 2, 3]));
        Assert.Equal("A list has 2 rewards and 3 scores; expected as many of both.", exception.Message);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void A_reward_that_is_not_finite_is_refused_and_nothing_is_added(float reward, string shown)
    {
        var accumulator = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        var exception = Assert.Throws<ArgumentException>(() => accumulator.Add([0f, reward], new([1, 0])));
        Assert.Equal(
            $"Reward 1 of the list is {shown}; expected a finite number: the model has diverged or its weights are damaged.",
            exception.Message);
        Assert.Equal(0, accumulator.Result.ListCount);
        Assert.Equal(0, accumulator.Result.AnswerCount);
    }

    [Fact]
    public void The_order_of_the_answers_does_not_change_the_metrics() =>
        ForAnyList((rewards, scores) =>
        {
            var (there, back) = (Of(rewards, scores), Of([.. rewards.Reverse()], [.. scores.Reverse()]));
            return there.PairCount == back.PairCount
                && Same(there.Accuracy, back.Accuracy)
                && Same(there.Loss, back.Loss)
                && Same(there.Margin, back.Margin)
                && Same(there.KendallTau, back.KendallTau)
                && Same(there.TopAnswerAccuracy, back.TopAnswerAccuracy)
                && Same(there.RewardStandardDeviation, back.RewardStandardDeviation);
        });

    [Fact]
    public void Negated_rewards_mirror_the_metrics() =>
        ForAnyList((rewards, scores) =>
        {
            var (there, mirrored) = (Of(rewards, scores), Of([.. rewards.Select(reward => -reward)], scores));
            return Same(there.Accuracy, 1 - mirrored.Accuracy)
                && Same(there.KendallTau, -mirrored.KendallTau)
                && Same(there.Margin, -mirrored.Margin)
                && Same(there.Loss, mirrored.Loss - there.Margin);
        });

    private static bool Same(double a, double b) => a.Equals(b) || Math.Abs(a - b) < 1e-9;

    /// <summary>Lists of small whole numbers, so that ties of both kinds are frequent.</summary>
    private static void ForAnyList(Func<float[], double[], bool> holds) =>
        Prop.ForAll(
            Gen.Choose(-3, 3).Two().ArrayOf().ToArbitrary(),
            answers => holds([.. answers.Select(answer => (float)answer.Item1)], [.. answers.Select(answer => (double)answer.Item2)]))
        .QuickCheckThrowOnFailure();

    private static RankingMetrics Of(float[] rewards, double[] scores)
    {
        var accumulator = new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid"));
        accumulator.Add(rewards, new(scores));
        return accumulator.Result;
    }
}
