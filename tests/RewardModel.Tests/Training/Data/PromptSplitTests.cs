using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class PromptSplitTests
{
    /// <summary>200 lists of 50 prompts, each prompt four times, far apart.</summary>
    private static readonly RankedList[] FourListsPerPrompt =
        [.. Enumerable.Range(0, 200).Select(i => RankedList.BestFirst($"prompt {i % 50}", $"answer {i}", "worse"))];

    [Theory]
    [InlineData(0.001, 1)]
    [InlineData(0.1, 5)]
    [InlineData(0.5, 25)]
    [InlineData(0.999, 49)]
    public void A_fraction_of_the_prompts_is_held_out_with_all_their_lists(double fraction, int expectedPrompts)
    {
        var (train, eval) = PromptSplit.Of(FourListsPerPrompt, fraction, seed: 3);
        var evalPrompts = eval.Select(list => list.Prompt).Distinct().ToList();
        Assert.Equal(expectedPrompts, evalPrompts.Count);
        Assert.Equal(4 * expectedPrompts, eval.Count);
        Assert.Empty(evalPrompts.Intersect(train.Select(list => list.Prompt)));
        Assert.Equal(200, train.Count + eval.Count);
    }

    [Fact]
    public void Each_side_keeps_the_order_of_the_lists()
    {
        var (train, eval) = PromptSplit.Of(FourListsPerPrompt, 0.3, seed: 3);
        Assert.Equal(FourListsPerPrompt.Where(list => train.Contains(list)), train);
        Assert.Equal(FourListsPerPrompt.Where(list => eval.Contains(list)), eval);
    }

    [Fact]
    public void The_split_is_the_same_for_ever_and_depends_on_the_seed()
    {
        Assert.Equal(["prompt 16", "prompt 24", "prompt 29", "prompt 34", "prompt 5"], HeldOut(FourListsPerPrompt, seed: 1));
        Assert.Equal(["prompt 11", "prompt 13", "prompt 29", "prompt 32", "prompt 45"], HeldOut(FourListsPerPrompt, seed: 2));
    }

    [Fact]
    public void The_order_of_the_lists_does_not_change_the_split() =>
        Assert.Equal(HeldOut(FourListsPerPrompt, seed: 1), HeldOut(FourListsPerPrompt.Reverse().ToArray(), seed: 1));

    [Fact]
    public void One_prompt_more_moves_at_most_one_prompt_to_each_side()
    {
        var before = HeldOut(FourListsPerPrompt, seed: 1);
        for (var i = 0; i < 50; i++)
        {
            var after = HeldOut([.. FourListsPerPrompt, RankedList.BestFirst($"new {i}", "a", "b")], seed: 1);
            Assert.True(before.Except(after).Count() <= 1);
            Assert.True(after.Except(before).Count() <= 1);
        }
    }

    [Fact]
    public void Token_ids_split_by_prompt_too()
    {
        // As characters, 65 and 65 * 65536 differ in their order only.
        int[][] prompts = [[65], [65 << 16], [], [65, 0], [0, 65]];
        var lists = Enumerable.Range(0, 20).Select(i => new TokenizedList(prompts[i % 5], [[i], [0]], [1, 0])).ToArray();
        var (train, eval) = PromptSplit.Of(lists, 0.4, seed: 1);
        Assert.Equal(8, eval.Count);
        Assert.Equal(2, eval.Select(list => list.PromptIds).Distinct().Count());
        Assert.Empty(eval.Select(list => list.PromptIds).Intersect(train.Select(list => list.PromptIds)));
    }

    [Fact]
    public void Fraction_0_holds_out_nothing_even_of_one_prompt()
    {
        var lists = FourListsPerPrompt[..1];
        var (train, eval) = PromptSplit.Of(lists, 0, seed: 1);
        Assert.Equal(lists, train);
        Assert.Empty(eval);
    }

    [Fact]
    public void Lists_of_one_prompt_are_divided_by_their_answers()
    {
        RankedList[] lists = [.. Enumerable.Range(0, 40).Select(i => RankedList.BestFirst("same", $"good {i % 20}", "bad"))];
        var (train, eval) = PromptSplit.Of(lists, 0.2, seed: 1);
        Assert.Equal((32, 8), (train.Count, eval.Count));
        Assert.Equal(4, eval.Select(list => list.Answers[0]).Distinct().Count());
        Assert.Empty(eval.Select(list => list.Answers[0]).Intersect(train.Select(list => list.Answers[0])));

        TokenizedList[] ids = [.. Enumerable.Range(0, 10).Select(i => new TokenizedList([7], [[i], [0]], [1, 0]))];
        Assert.Equal(2, PromptSplit.Of(ids, 0.2, seed: 1).Eval.Count);
    }

    [Fact]
    public void A_single_list_cannot_be_divided()
    {
        RankedList[] lists = [RankedList.BestFirst("same", "a", "b"), RankedList.BestFirst("same", "a", "b")];
        var exception = Assert.Throws<ArgumentException>(() => PromptSplit.Of(lists, 0.1, seed: 1));
        Assert.Equal(
            "There is 1 distinct list; expected at least 2, to hold some out. "
            + "Provide more lists or a separate file for evaluation (--eval-data), or turn evaluation off (--eval-fraction 0).",
            exception.Message);
    }

    [Theory]
    [InlineData(-0.1, "-0.1")]
    [InlineData(1.0, "1")]
    [InlineData(double.NaN, "NaN")]
    public void A_fraction_out_of_range_is_refused(double fraction, string shown)
    {
        var exception = Assert.Throws<ArgumentException>(() => PromptSplit.Of(FourListsPerPrompt, fraction, seed: 1));
        Assert.Equal($"The held-out fraction is {shown}; expected a number from 0 to below 1.", exception.Message);
    }

    [Fact]
    public void Lists_of_a_store_are_split_by_the_keys_that_they_came_with()
    {
        using var writer = new CompactListsWriter();
        foreach (var list in FourListsPerPrompt)
            writer.Add(TinyModel.List((ulong)writer.Count, 1, 2, 3) with { Source = new SourceLine(list.Prompt, writer.Count) }, ListKeys.Of(list));
        using var lists = writer.Finish();
        var (train, eval) = PromptSplit.Of(lists, 0.1, seed: 1);
        Assert.Equal(PromptSplit.Of(FourListsPerPrompt, 0.1, seed: 1).Eval.Select(list => list.Prompt), eval.Select(list => list.Source.File));
        Assert.Equal(180, train.Count);
        Assert.Equal(0, PromptSplit.CountShared(train, eval));
        Assert.Equal(45, PromptSplit.CountShared(train, lists));
    }

    [Fact]
    public void Lists_can_be_split_by_any_key()
    {
        ulong[] keys = [.. Enumerable.Range(0, 60).Select(i => (ulong)(i % 6))];
        var (train, eval) = PromptSplit.Of(keys.Length, index => keys[index], 0.3, seed: 1, "group")!.Value;
        Assert.Equal([2, 4], new[] { eval.Select(index => index % 6).Distinct().Count(), train.Select(index => index % 6).Distinct().Count() });
        Assert.Equal(Enumerable.Range(0, 60), train.Concat(eval).Order());
        Assert.StartsWith(
            "There is 1 distinct group; expected at least 2",
            Assert.Throws<ArgumentException>(() => PromptSplit.Of(1, index => keys[index], 0.3, seed: 1, "group")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Those_held_out_have_the_keys_that_come_first_when_mixed()
    {
        var random = new SplitMix64(4);
        foreach (var count in new[] { 2, 3, 10, 500 })
            foreach (var keyCount in new[] { 2, 7, 1000 })
                foreach (var fraction in new[] { 0.001, 0.1, 0.5, 0.999 })
                {
                    ulong[] keys = [0, 1, .. Enumerable.Range(2, count - 2).Select(_ => (ulong)random.NextBelow(keyCount))];
                    var (train, eval) = PromptSplit.Of(count, index => keys[index], fraction, seed: 9, "list")!.Value;
                    ulong[] inOrder = [.. keys.Distinct().OrderBy(key => SplitMix64.Mix(SplitMix64.Mix(9) + key))];
                    var first = inOrder[..Math.Clamp((int)Math.Round(inOrder.Length * fraction), 1, inOrder.Length - 1)].ToHashSet();
                    Assert.Equal(Enumerable.Range(0, count).Where(index => first.Contains(keys[index])), eval);
                    Assert.Equal(Enumerable.Range(0, count).Where(index => !first.Contains(keys[index])), train);
                }
    }

    private static string[] HeldOut(RankedList[] lists, ulong seed) =>
        [.. PromptSplit.Of(lists, 0.1, seed).Eval.Select(list => list.Prompt).Distinct().Order(StringComparer.Ordinal)];
}
