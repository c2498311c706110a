using RewardModel.Lists;
using RewardModel.Packing;

namespace RewardModel.Tests.Packing;

public class TokenBudgetTests
{
    [Fact]
    public void Every_list_is_in_one_batch_and_batches_keep_to_the_budget()
    {
        TokenizedList[] lists = [.. Enumerable.Range(0, 40).Select(i => TinyModel.List((ulong)i, i % 7, 1 + i % 5, 3))];
        var batches = TokenBudget.Batches(lists, 30);
        Assert.Equal(Enumerable.Range(0, 40), batches.SelectMany(batch => batch).Order());
        Assert.All(batches, batch => Assert.InRange(batch.Sum(index => PackedSequences.CountTokens(lists[index])), 1, 30));
    }

    [Fact]
    public void Lists_of_similar_length_are_together()
    {
        TokenizedList[] lists = [TinyModel.List(1, 2, 3), TinyModel.List(2, 20, 9), TinyModel.List(3, 2, 4), TinyModel.List(4, 20, 8)];
        Assert.Equal([[1, 3], [2, 0]], TokenBudget.Batches(lists, 60));
    }

    [Fact]
    public void A_list_beyond_the_budget_is_alone()
    {
        TokenizedList[] lists = [TinyModel.List(1, 2, 3), TinyModel.List(2, 20, 9, 9)];
        Assert.Equal([[1], [0]], TokenBudget.Batches(lists, 10));
    }

    [Fact]
    public void Parts_of_a_list_whose_prompts_were_cut_differently_keep_to_the_budget()
    {
        var list = TinyModel.List(1, 12, 3, 3, 3, 3, 3, 3, 3, 3) with
        {
            OwnPromptIds = [.. Enumerable.Range(1, 8).Select(i => Enumerable.Range(i, 10).ToArray())],
        };
        var parts = TokenBudget.SplitAnswers(list, 40);
        Assert.Equal([3, 3, 2], parts.Select(part => part.AnswerIds.Count));
        Assert.All(parts, part => Assert.InRange(PackedSequences.CountTokens(part), 1, 40));
    }

    [Fact]
    public void Splitting_a_list_keeps_all_answers_in_order_with_their_prompt()
    {
        var list = TinyModel.List(1, 4, 3, 3, 9, 1, 1, 1);
        var parts = TokenBudget.SplitAnswers(list, 10);
        Assert.Equal([[3, 3], [9], [1, 1, 1]], parts.Select(part => part.AnswerIds.Select(ids => ids.Length)));
        Assert.All(parts, part => Assert.Same(list.PromptIds, part.PromptIds));
        Assert.Equal(list.AnswerIds, parts.SelectMany(part => part.AnswerIds));
        Assert.Equal(list.Scores, parts.SelectMany(part => part.Scores));
    }

    [Fact]
    public void Splitting_a_list_counts_every_prompt_that_its_answers_have()
    {
        var list = TinyModel.List(1, 4, 3, 3, 3, 3) with { OwnPromptIds = [null, null, [5], [5]] };
        Assert.Equal([[0, 1], [2, 3]], Parts(10));
        Assert.Equal([[0, 1], [2, 3]], Parts(13));
        Assert.Equal([[0, 1, 2], [3]], Parts(14));
        Assert.Equal([[0], [1, 2], [3]], Parts(13, sharePrompts: false));

        IEnumerable<IEnumerable<int>> Parts(int maxTokens, bool sharePrompts = true)
        {
            var parts = TokenBudget.SplitAnswers(list, maxTokens, sharePrompts);
            Assert.All(parts, part => Assert.InRange(PackedSequences.CountTokens(part, sharePrompts), 1, maxTokens));
            return parts.Select(part => part.AnswerIds.Select((ids, k) =>
            {
                var answer = list.AnswerIds.ToList().IndexOf(ids);
                Assert.Same(list.PromptOf(answer), part.PromptOf(k));
                return answer;
            }));
        }
    }
}
