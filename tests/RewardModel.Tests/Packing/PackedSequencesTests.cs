using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Tests.Packing;

public class PackedSequencesTests
{
    [Fact]
    public void The_example_of_the_documentation_holds()
    {
        using var packed = PackedSequences.Pack([new TokenizedList([7, 8, 9], [[1, 2], [3]], [1, 0])]);
        Assert.Equal([7, 8, 9, 1, 2, 3], Values(packed.TokenIds));
        Assert.Equal([0, 1, 2, 3, 4, 3], Values(packed.PositionIds));
        Assert.Equal([new Segment(0, 3), new Segment(3, 2, 0), new Segment(5, 1, 0)], packed.Segments);
        Assert.Equal([0, 0], Values(packed.FirstRows));
        Assert.Equal([4, 5], Values(packed.ScoredRows));
        Assert.Equal((6, 5, 9), (packed.TokenCount, packed.LongestSequence, packed.HighestTokenId));
    }

    [Fact]
    public void Prompts_come_first_and_lists_without_prompt_are_segments_of_their_own()
    {
        using var packed = PackedSequences.Pack([
            new TokenizedList([7], [[1, 2]], [0]),
            new TokenizedList([], [[3], [4, 5]], [1, 0]),
            new TokenizedList([8, 9], [[6], [1]], [1, 0])]);
        Assert.Equal([7, 3, 4, 5, 8, 9, 1, 2, 6, 1], Values(packed.TokenIds));
        Assert.Equal([0, 0, 0, 1, 0, 1, 1, 2, 2, 2], Values(packed.PositionIds));
        Assert.Equal([0, 1, 2, 4, 4], Values(packed.FirstRows));
        Assert.Equal([7, 1, 3, 8, 9], Values(packed.ScoredRows));
    }

    [Fact]
    public void Similar_lengths_are_together_and_rewards_stay_in_the_order_of_the_answers()
    {
        int[] Ids(int value, int count) => [.. Enumerable.Repeat(value, count)];
        using var packed = PackedSequences.Pack([
            new TokenizedList(Ids(1, 40), [Ids(2, 17), Ids(3, 2), Ids(4, 18)], [2, 1, 0]),
            new TokenizedList(Ids(5, 3), [Ids(6, 5)], [0])]);
        Assert.Equal(
            [
                new Segment(0, 3), new Segment(3, 40), new Segment(43, 2, 1), new Segment(45, 5, 0),
                new Segment(50, 17, 1), new Segment(67, 18, 1),
            ],
            packed.Segments);
        Assert.Equal([66, 44, 84, 49], Values(packed.ScoredRows));
        Assert.Equal([2, 3, 4, 6], Values(packed.TokenIds.index_select(0, packed.ScoredRows)));
        Assert.Equal([56, 41, 57, 7], Values(packed.PositionIds.index_select(0, packed.ScoredRows)));
    }

    [Fact]
    public void An_answer_that_begins_the_next_one_is_read_within_it()
    {
        var list = new TokenizedList([7, 8], [[1], [1, 2, 3], [1, 2, 3, 4], [1, 5]], [0, 0, 0, 0]);
        using var packed = PackedSequences.Pack([list]);
        Assert.Equal((8, 8, true), (packed.TokenCount, PackedSequences.CountTokens(list), packed.EndsWithin));
        Assert.Equal([1, 3, 4, 5], Values(packed.TokenIds.index_select(0, packed.ScoredRows)));
        Assert.Equal([2, 4, 5, 3], Values(packed.PositionIds.index_select(0, packed.ScoredRows)));
        Assert.Equal([1, 3, 4, 2], packed.ScoredLengths);

        // With prompts of their own, or a copy of the prompt each, they are answers by themselves.
        var cut = list with { OwnPromptIds = [null, [8], null, null] };
        using var apart = PackedSequences.Pack([cut]);
        Assert.Equal((3 + 1 + 3 + 4 + 2, false), (apart.TokenCount, apart.EndsWithin));
        using var copies = PackedSequences.Pack([list], sharePrompts: false);
        Assert.Equal((4 * 2 + 10, false), (copies.TokenCount, copies.EndsWithin));
        Assert.Equal(18, PackedSequences.CountTokens(list, sharePrompts: false));
    }

    [Fact]
    public void A_list_is_not_divided_between_answers_that_are_computed_as_one()
    {
        var list = new TokenizedList([7, 8], [[1], [1, 2, 3], [1, 2, 3, 4], [5], [6]], [0, 0, 0, 0, 0]);
        Assert.Equal([3, 2], TokenBudget.SplitAnswers(list, 5).Select(part => part.AnswerIds.Count));
        // Nor is one begun that doesn't fit.
        var before = new TokenizedList([7, 8], [[5, 6], [1], [1, 2, 3], [1, 2, 3, 4]], [0, 0, 0, 0]);
        Assert.Equal([1, 3], TokenBudget.SplitAnswers(before, 7).Select(part => part.AnswerIds.Count));
        Assert.Equal([4], TokenBudget.SplitAnswers(before, 8).Select(part => part.AnswerIds.Count));
        Assert.Equal([3, 1, 1], TokenBudget.SplitAnswers(list, 1).Select(part => part.AnswerIds.Count));
        Assert.Equal([1, 1, 1, 2], TokenBudget.SplitAnswers(list, 6, sharePrompts: false).Select(part => part.AnswerIds.Count));
    }

    [Fact]
    public void Not_sharing_repeats_the_prompt()
    {
        TokenizedList list = new([7, 8], [[1], [2, 3]], [1, 0]);
        using var packed = PackedSequences.Pack([list], sharePrompts: false);
        Assert.Equal([7, 8, 1, 7, 8, 2, 3], Values(packed.TokenIds));
        Assert.Equal([0, 1, 2, 0, 1, 2, 3], Values(packed.PositionIds));
        Assert.Equal([0, 3], Values(packed.FirstRows));
        Assert.Equal([2, 6], Values(packed.ScoredRows));
        Assert.Equal((5, 7), (PackedSequences.CountTokens(list), PackedSequences.CountTokens(list, sharePrompts: false)));
    }

    [Fact]
    public void Answers_share_a_prompt_where_theirs_are_equal()
    {
        var list = new TokenizedList([7, 8, 9], [[1], [2], [3], [4], [5]], [4, 3, 2, 1, 0])
        {
            OwnPromptIds = [[9], null, [8, 9], [9], []],
        };
        using var packed = PackedSequences.Pack([list]);
        Assert.Equal([9, 7, 8, 9, 8, 9, 5, 2, 3, 1, 4], Values(packed.TokenIds));
        Assert.Equal(11, packed.TokenCount);
        Assert.Equal([1, 2, 3, 4, 5], Values(packed.TokenIds.index_select(0, packed.ScoredRows)));
        Assert.Equal([1, 3, 2, 1, 0], Values(packed.PositionIds.index_select(0, packed.ScoredRows)));
        Assert.Equal([9, 7, 8, 9, 5], Values(packed.TokenIds.index_select(0, packed.FirstRows)));
        Assert.Equal(packed.Segments[packed.ScoredSegments[0]].Parent, packed.Segments[packed.ScoredSegments[3]].Parent);
        Assert.Equal(packed.TokenCount, PackedSequences.CountTokens(list));

        using var apart = PackedSequences.Pack([list], sharePrompts: false);
        Assert.Equal([9, 1, 7, 8, 9, 2, 8, 9, 3, 9, 4, 5], Values(apart.TokenIds));
        Assert.Equal(apart.TokenCount, PackedSequences.CountTokens(list, sharePrompts: false));
    }

    [Fact]
    public void Prompts_that_do_not_go_with_the_answers_are_told() => Assert.Equal(
        "The list at (in memory) has 2 answers and 1 entries in OwnPromptIds; expected one for each answer, or none at all. "
        + "(Parameter 'lists')",
        Assert.Throws<ArgumentException>(
            () => PackedSequences.Pack([new TokenizedList([1], [[1], [2]], [1, 0]) { OwnPromptIds = [[3]] }])).Message);

    [Fact]
    public void Answers_have_the_token_type_of_their_list()
    {
        using var packed = PackedSequences.Pack([new TokenizedList([7, 8], [[1], [2, 3]], [1, 0]) { AnswerTokenType = 1 }]);
        Assert.Equal([0, 0, 1, 1, 1], Values(packed.TokenTypeIds));
        Assert.Equal(1, packed.HighestTokenType);
    }

    [Fact]
    public void Lists_that_have_nothing_to_score_are_told()
    {
        Assert.Equal(
            "There is no list to pack; expected at least one. (Parameter 'lists')",
            Assert.Throws<ArgumentException>(() => PackedSequences.Pack([])).Message);
        Assert.Equal(
            "The list at a.jsonl:3 has no answers; expected at least one. (Parameter 'lists')",
            Assert.Throws<ArgumentException>(
                () => PackedSequences.Pack([new TokenizedList([1], [], [], new SourceLine("a.jsonl", 3))])).Message);
        Assert.Equal(
            "Answer 2 of the list at (in memory) has no tokens; expected at least one, where its reward is read. (Parameter 'lists')",
            Assert.Throws<ArgumentException>(() => PackedSequences.Pack([new TokenizedList([1], [[1], []], [1, 0])])).Message);
    }

    [Fact]
    public void Disposed_of_they_say_so()
    {
        using var model = TinyModel.Create();
        var packed = model.Pack([TinyModel.List(1, 2, 3)]);
        packed.Dispose();
        packed.Dispose();
        Assert.All(
            [
                () => packed.TokenIds, () => packed.PositionIds, () => packed.TokenTypeIds, () => packed.FirstRows, () => packed.ScoredRows,
                () => packed.Device, (Func<object>)(() => model.forward(packed)),
            ],
            use => Assert.Equal(typeof(PackedSequences).FullName, Assert.Throws<ObjectDisposedException>(use).ObjectName));
    }

    private static long[] Values(Tensor tensor)
    {
        using var accessor = tensor.data<long>();
        return accessor.ToArray();
    }
}
