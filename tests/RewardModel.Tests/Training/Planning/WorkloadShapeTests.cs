using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class WorkloadShapeTests
{
    [Theory]
    [InlineData(4, 5, 3)]
    [InlineData(1, 0, 7)]
    [InlineData(9, 12, 1)]
    public void Tokens_and_pairs_are_those_of_the_packed_list(int answers, int prompt, int answer)
    {
        var workload = new WorkloadShape(100, answers, prompt, answer, 8);
        var list = ListOf(answers, prompt, answer);
        using var packed = PackedSequences.Pack([list]);
        foreach (var isCausal in new[] { true, false })
            Assert.Equal(PackedSequences.CountTokens(list, isCausal), workload.TokensPerList(isCausal));
        // Counted pair by pair: a token sees itself, those before it in its segment, and its prompt.
        long pairs = 0;
        for (var token = 0; token < prompt; token++)
            pairs += token + 1;
        for (var k = 0; k < answers; k++)
            for (var token = 0; token < answer; token++)
                pairs += prompt + token + 1;
        Assert.Equal(pairs, workload.PairsPerList(isCausal: true));
        Assert.Equal(answers * (prompt + answer) * (prompt + answer), workload.PairsPerList(isCausal: false));
        Assert.Equal(packed.TokenCount, workload.TokensPerList(isCausal: true));
    }

    [Theory]
    [InlineData(64, 4, 100)]
    [InlineData(64, 8, 40)]
    [InlineData(30, 4, 17)]
    [InlineData(64, 3, 12)]
    [InlineData(64, 64, 1)]
    public void Micro_batches_are_those_that_training_makes(int listsPerStep, int ranks, int maxTokens)
    {
        const int answers = 5, prompt = 7, answer = 2;
        foreach (var isCausal in new[] { true, false })
        {
            var batches = new WorkloadShape(1000, answers, prompt, answer, listsPerStep).BatchesOf(ranks, maxTokens, isCausal);
            var lists = Enumerable.Repeat(ListOf(answers, prompt, answer), (listsPerStep + ranks - 1) / ranks).ToArray();
            var parts = TokenBudget.Batches(lists, maxTokens, isCausal).SelectMany(batch => batch.Length > 1
                ? [batch.Select(index => lists[index]).ToArray()]
                : TokenBudget.SplitAnswers(lists[batch[0]], maxTokens, isCausal).Select(part => new[] { part })).ToArray();
            long Tokens(TokenizedList[] batch) => batch.Sum(list => PackedSequences.CountTokens(list, isCausal));
            Assert.Equal(
                (lists.Length, parts.Length, parts.Sum(Tokens), parts.Max(Tokens)),
                (batches.ListCount, batches.Count, batches.Tokens, batches.Largest.Tokens));
            Assert.Equal(batches.Count > lists.Length, batches.AreListsDivided);
        }
    }

    [Fact]
    public void Steps_are_whole_and_of_every_epoch()
    {
        Assert.Equal(5702, new WorkloadShape(2_919_326, 2, 379, 217, 512).StepCount);
        Assert.Equal(6, new WorkloadShape(65, 2, 1, 1, 64, 3).StepCount);
    }

    [Fact]
    public void All_that_can_not_be_is_said() => Assert.Equal(
        [
            "--lists is 0; expected at least 1", "--answers is 0; expected at least 1", "--prompt-tokens is -1; expected 0 or more",
            "--answer-tokens is 0; expected at least 1", "--lists-per-step is 0; expected at least 1", "--epochs is 0; expected at least 1",
        ],
        new WorkloadShape(0, 0, -1, 0, 0, 0).Problems());

    [Fact]
    public void What_is_far_too_large_is_said()
    {
        Assert.Equal(
            [
                "--answers is 2147483647; expected at most 1000", "--prompt-tokens is 2147483647; expected at most 1000000",
                "--answer-tokens is 2147483647; expected at most 1000000", "--lists-per-step is 2147483647; expected at most 1000000",
                "--epochs is 2147483647; expected at most 1000000",
            ],
            new WorkloadShape(7, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue).Problems());
        Assert.Equal(["--lists is 9223372036854775807; expected at most 1000000000000"], new WorkloadShape(long.MaxValue, 2, 3, 4, 5, 6).Problems());
    }

    private static TokenizedList ListOf(int answers, int prompt, int answer)
    {
        int[] Ids(int count, int first) => [.. Enumerable.Range(first, count)];
        return new TokenizedList(
            Ids(prompt, 1), [.. Enumerable.Range(0, answers).Select(k => Ids(answer, 100 + 10 * k))], RankedList.ScoresOfOrder(answers));
    }
}
