using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Checks;

namespace RewardModel.Tests.Training.Checks;

public class RunCheckTests
{
    [Fact]
    public void Texts_are_those_of_their_lists_and_none_where_some_lists_were_not_seen()
    {
        using var transformer = TinyModel.Create("llama");
        using var model = new ScoringModel(transformer, tokenizer: null, maxLength: 16);
        var check = new RunCheck(model, isInFull: false, needsClusters: false);
        for (var i = 0; i < 4; i++)
            check.Add(new RankedList($"prompt {i}", ["a", "b"], [1, 0]), new TokenizedList([i], [[1], [2]], [1, 0]), cut: default, isOfEvalData: i > 1);
        Assert.Equal([(0, "prompt 2"), (1, "prompt 3")], check.OriginalsOf(4, [2, 3]).Select(list => (list.Index, list.List.Prompt)));
        // Two lists to train on lay in a cache, so that those that were seen have other numbers.
        Assert.Empty(check.OriginalsOf(6, [2, 3, 4, 5]));
    }
}
