using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class BenchmarkScoresTests
{
    [Fact]
    public void RewardBench_is_the_mean_of_its_sections_by_hand()
    {
        // Chat: alpacaeval-easy 1 of 2 (an equal reward is wrong), weight 100; mt-bench-med 1 of 1, weight 40. Reasoning: 447 rows of
        // math-prm count as 984.
        var score = BenchmarkScores.Of(
        [
            Pair("alpacaeval-easy", 1, 0), Pair("alpacaeval-easy", 2, 2), Pair("mt-bench-med", 1, 0), Pair("mt-bench-hard", 0, 1),
            Pair("donotanswer", 1, 0), Pair("math-prm", 1, 0), Pair("hep-go", 0, 1),
        ])!;
        double[] expected = [(50 + 40) / 140.0, 0, 1, 984.0 / (984 + 164)];
        Assert.Equal("RewardBench", score.Name);
        Assert.Equal(["Chat", "Chat Hard", "Safety", "Reasoning"], score.Sections.Select(section => section.Name));
        Assert.All(score.Sections.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.Score, 1e-12));
        Assert.Equal(expected.Average(), score.Score, 1e-12);
        Assert.All(score.Sections, section => Assert.Equal(0.25, section.Weight));
        Assert.Equal([new("alpacaeval-easy", 2, 0.5), new("mt-bench-med", 1, 1)], score.Sections[0].Subsets);
        Assert.Equal(23 - 6, score.MissingSubsets.Count);
        Assert.Contains("xstest-should-refuse", score.MissingSubsets);
    }

    [Fact]
    public void A_missing_section_is_left_out()
    {
        var score = BenchmarkScores.Of([Pair("donotanswer", 1, 0), Pair("math-prm", 0, 1)])!;
        Assert.Equal((0.5, 2), (score.Score, score.Sections.Count));
    }

    [Fact]
    public void RewardBench_2_shares_the_highest_reward_and_has_a_rule_of_its_own_for_ties()
    {
        ScoredList Four(string group, params float[] rewards) => List(rewards, [1, 0, 0, 0]) with { Group = group };
        ScoredList Tied(float[] right, float[] wrong) =>
            List([.. right, .. wrong], [.. right.Select(_ => 1.0), .. wrong.Select(_ => 0.0)]) with { Group = "Ties" };
        var score = BenchmarkScores.Of(
        [
            Four("Focus", 2, 1, 0, 0), Four("Focus", 2, 2, 2, 0), Four("Focus", 0, 0, 0, 1), Four("Math", 1, 0, 0, 0),
            // Single answers: gaps 3 and -1. Several: gap 2 and spread 1; gap 4 and spread 5.
            Tied([4], [1]), Tied([4, 5], [2, 0]), Tied([0], [1]), Tied([5, 10, 7], [1]),
        ])!;
        var ties = 0.3 * 1 + 0.3 * 0.5 + 0.2 * 0.5 + 0.2 * 0.5 + 0.01 * (Math.Tanh(2.0 / 1 - 1) + Math.Tanh(-1.0 / 5 - 1)) / 2;
        Assert.Equal(["Math", "Focus", "Ties"], score.Sections.Select(section => section.Name));
        Assert.Equal(1, score.Sections[0].Score);
        Assert.Equal((1 + 1.0 / 3) / 3, score.Sections[1].Score, 1e-12);
        Assert.Equal(ties, score.Sections[2].Score, 1e-12);
        Assert.Equal(new BenchmarkSubset("Ties", 4, score.Sections[2].Score), Assert.Single(score.Sections[2].Subsets));
        Assert.Equal((1 + 4.0 / 9 + ties) / 3, score.Score, 1e-12);
        Assert.Equal(["Factuality", "Precise IF", "Safety"], score.MissingSubsets);
    }

    [Fact]
    public void Ties_that_have_no_partners_are_left_out()
    {
        var ties = List([2, 1, 0], [1, 1, 0]) with { Group = "Ties" };
        var score = BenchmarkScores.Of([List([1, 0], [1, 0]) with { Group = "Math" }, ties])!;
        Assert.Equal((1, "Math"), (score.Score, Assert.Single(score.Sections).Name));
        Assert.Contains("Ties", score.MissingSubsets);
        Assert.Null(BenchmarkScores.Of([ties]));
    }

    [Fact]
    public void Right_answers_without_spread_and_without_a_gap_add_nothing()
    {
        ScoredList[] lists = [List([1, 1, 1], [1, 1, 0]) with { Group = "Ties" }, List([1, 0], [1, 0]) with { Group = "Ties" }];
        // Only the single right answer is above the wrong one; 0 / 0 counts 0.
        Assert.Equal(0.3, BenchmarkScores.Of(lists)!.Score, 1e-12);
        // With a gap and no spread, the ratio is infinite.
        lists[0] = lists[0] with { Rewards = [1, 1, 0] };
        Assert.Equal(1.01, BenchmarkScores.Of(lists)!.Score, 1e-12);
    }

    [Fact]
    public void RM_Bench_is_a_matrix_of_styles()
    {
        // Right answers 1, 2, 3 and wrong ones 0, 1, 4, in three styles: above are 0 of 1; 0 and 1 of 2; 0 and 1 of 3.
        ScoredList Row(string domain, params float[] rewards) => List(rewards, [1, 1, 1, 0, 0, 0]) with { Group = domain };
        var score = BenchmarkScores.Of(
            [Row("chat", 1, 2, 3, 0, 1, 4), Row("safety-refuse", 9, 9, 9, 0, 0, 0), Row("safety-response", 0, 0, 0, 1, 1, 1)])!;
        Assert.Equal("RM-Bench", score.Name);
        Assert.Equal(["Chat", "Safety", "Easy", "Normal", "Hard"], score.Sections.Select(section => section.Name));
        Assert.Equal([0.25, 0.25, 0, 0, 0], score.Sections.Select(section => section.Weight));
        // Easy: (1,0), (2,0), (2,1); normal: (0,0), (1,1), (2,2); hard: (0,1), (0,2), (1,2).
        double[] chat = [1, 2.0 / 3, 0];
        Assert.All(score.Sections[0].Subsets.Zip(chat), pair => Assert.Equal(pair.Second, pair.First.Score, 1e-12));
        Assert.Equal(["Easy", "Normal", "Hard"], score.Sections[0].Subsets.Select(subset => subset.Name));
        Assert.Equal(5.0 / 9, score.Sections[0].Score, 1e-12);
        Assert.Equal((0.5, 2), (score.Sections[1].Score, score.Sections[1].Subsets[0].ListCount));
        Assert.Equal((5.0 / 9 + 0.5) / 2, score.Score, 1e-12);
        Assert.Equal([(1 + 0.5) / 2, (2.0 / 3 + 0.5) / 2, 0.25], score.Sections.Skip(2).Select(section => section.Score));
        Assert.Equal([new("Chat", 1, 1), new("Safety", 2, 0.5)], score.Sections[2].Subsets);
        Assert.Equal(["math", "code"], score.MissingSubsets);
    }

    [Fact]
    public void Other_lists_are_of_no_benchmark()
    {
        Assert.Null(BenchmarkScores.Of([]));
        Assert.Null(BenchmarkScores.Of([Pair("donotanswer", 1, 0), Pair("mine", 1, 0)]));
        Assert.Null(BenchmarkScores.Of([Pair("donotanswer", 1, 0), List([1, 0], [1, 0])]));
        Assert.Null(BenchmarkScores.Of([List([1, 0, 2], [1, 0, 2]) with { Group = "math-prm" }]));
        Assert.Null(BenchmarkScores.Of([Pair("chat", 1, 0)]));
    }

    private static ScoredList Pair(string group, float chosen, float rejected) => List([chosen, rejected], [1, 0]) with { Group = group };
}
