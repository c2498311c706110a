using RewardModel.Training.Evaluation;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class HumanAgreementTests
{
    [Fact]
    public void A_pair_that_three_people_judged_by_hand()
    {
        // Two of three prefer the first answer: one of the three pairs of judgments agrees, and a model gets two of them at most.
        var found = HumanAgreement.Of(new ScoredLists(
        [
            List([1, 0], [1, 0], prompt: 1, keys: [7, 8]), List([0, 1], [0, 1], prompt: 1, keys: [8, 7]),
            List([1, 0], [0, 1], prompt: 1, keys: [7, 8]), List([1, 0], [1, 0], prompt: 2, keys: [7, 8]),
        ]));
        Assert.Equal(new HumanAgreement(1, 3, 1.0 / 3, 2.0 / 3, 2.0 / 3), found);
    }

    [Fact]
    public void Random_judgments_agree_as_often_as_compared_one_by_one()
    {
        var lists = Random(300, seed: 13);
        var judgments =
            (from pair in PairsOf(lists)
             let list = lists[pair.List]
             // Of equal answers in a list the first.
             where Enumerable.Range(0, pair.Better).All(i => list.AnswerKeys[i] != list.AnswerKeys[pair.Better])
                && Enumerable.Range(0, pair.Worse).All(i => list.AnswerKeys[i] != list.AnswerKeys[pair.Worse])
             let keys = (Better: list.AnswerKeys[pair.Better], Worse: list.AnswerKeys[pair.Worse])
             select (list.Prompt, Pair: (Math.Min(keys.Better, keys.Worse), Math.Max(keys.Better, keys.Worse)), keys.Better, pair.Difference))
            .GroupBy(judgment => (judgment.Prompt, judgment.Pair)).Select(group => group.ToArray()).Where(group => group.Length > 1).ToArray();
        Assert.True(judgments.Length > 50);
        var found = HumanAgreement.Of(new ScoredLists(lists))!;
        Assert.Equal((judgments.Length, judgments.Sum(group => group.Length)), ((int)found.PairCount, (int)found.JudgmentCount));
        Assert.Equal(
            judgments.Average(group => Enumerable.Range(0, group.Length).SelectMany(
                i => Enumerable.Range(0, i).Select(j => group[i].Better == group[j].Better ? 1.0 : 0)).Average()),
            found.Agreement, 1e-12);
        var all = judgments.SelectMany(group => group).ToArray();
        Assert.Equal(AccuracyOf(all.Select(judgment => judgment.Difference)), found.Accuracy, 1e-12);
        Assert.Equal(
            (double)judgments.Sum(group => group.GroupBy(judgment => judgment.Better).Max(side => side.Count())) / all.Length,
            found.Ceiling, 1e-12);
    }

    [Fact]
    public void Where_no_pair_was_judged_twice_there_is_none()
    {
        Assert.Null(HumanAgreement.Of(new ScoredLists([])));
        Assert.Null(HumanAgreement.Of(new ScoredLists(
        [
            List([1, 0], [1, 0], prompt: 1, keys: [7, 8]), List([1, 0], [1, 1], prompt: 1, keys: [7, 8]),
            List([1, 0], [1, 0], prompt: 1, keys: [7, 9]), List([1, 0], [1, 0], prompt: 2, keys: [7, 8]),
            // Once in one list, though an answer is there twice.
            List([1, 0, 1], [2, 1, 2], prompt: 3, keys: [7, 8, 7]),
        ])));
    }

    [Fact]
    public void Where_all_lists_have_one_prompt_answers_are_still_compared() => Assert.Equal(
        new HumanAgreement(1, 2, 1, 1, 0),
        HumanAgreement.Of(new ScoredLists([List([0, 1], [1, 0], prompt: 1, keys: [7, 8]), List([0, 1], [1, 0], prompt: 1, keys: [7, 8])])));
}
