using System.Runtime.CompilerServices;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class CompactListsTests
{
    [Fact]
    public void Lists_come_out_as_they_went_in() =>
        Prop.ForAll(SomeLists.Several, lists =>
        {
            using var compact = SomeLists.InMemory(lists);
            AssertSame(lists, compact);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Lists_come_out_of_a_file_as_they_went_in()
    {
        using var directory = new TemporaryDirectory();
        Prop.ForAll(SomeLists.Several, lists =>
        {
            using var writer = new CompactListsWriter(new ListStoreFile(directory["lists"], "key"));
            foreach (var list in lists)
                writer.Add(list, ListKeys.Of(list));
            using var compact = writer.Finish("notes");
            AssertSame(lists, compact);
            Assert.Equal("notes", compact.Notes);
        }).QuickCheckThrowOnFailure();
        Assert.Equal(["lists"], directory.FileNames());
    }

    [Fact]
    public void Lists_are_found_in_any_piece_of_memory() =>
        Prop.ForAll(SomeLists.Several, lists =>
        {
            // Many lists need more than a piece, which then is their own.
            using var writer = new CompactListsWriter(new MemoryListStore(pieceLength: 64));
            foreach (var list in lists)
                writer.Add(list, ListKeys.Of(list));
            using var compact = writer.Finish();
            AssertSame(lists, compact);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_index_says_what_the_lists_say() =>
        Prop.ForAll(SomeLists.List.ToArbitrary(), list =>
        {
            using var compact = SomeLists.InMemory([list]);
            var info = compact.InfoOf(0);
            Assert.Equal(new[] { list }.InfoOf(0), info);
            Assert.Equal(list.Scores, compact.ScoresOf(0));
            Assert.Equal(list.Source, compact.SourceOf(0));
            int[] ids = [.. list.AnswerIds.SelectMany((answer, k) => list.PromptOf(k).Concat(answer))];
            Assert.Equal((Math.Max(-1, ids.Append(-1).Max()), ids.Any(id => id < 0)), (info.LargestId, info.Has(ListFlags.NegativeId)));
            Assert.Equal(PackedSequences.CountTokens(list, sharePrompts: true), info.TokenCount(sharesPrompts: true));
            Assert.Equal(PackedSequences.CountTokens(list, sharePrompts: false), info.TokenCount(sharesPrompts: false));
            Assert.Equal(list.AnswerIds.Select((answer, k) => list.PromptOf(k).Length + answer.Length).Max(), info.LongestLength);
            Assert.Equal(
                (list.AnswerIds.Count, RankingList.Of(list).PairCount, list.EqualAnswers() is not null),
                (info.AnswerCount, info.PairCount, info.Has(ListFlags.EqualAnswers)));
            Assert.Equal(
                (list.Scores.Distinct().Count() < list.Scores.Count, list.ScoresAreOrder, list.Margin is not null, list.Weight != 1),
                (info.Has(ListFlags.Ties), info.Has(ListFlags.ScoresAreOrder), info.Has(ListFlags.Margin), info.Has(ListFlags.Weight)));
            Assert.Equal((list.IsChat is true, list.IsChat is false), (info.Has(ListFlags.Chat), info.Has(ListFlags.Text)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_entry_of_the_index_has_96_bytes() => Assert.Equal(96, Unsafe.SizeOf<ListEntry>());

    [Fact]
    public void Keys_are_those_that_a_list_was_added_with()
    {
        using var writer = new CompactListsWriter();
        var keys = ListKeys.Of(RankedList.BestFirst("prompt", "a", "b"), source: 3);
        writer.Add(TinyModel.List(1, 2, 3, 4), keys);
        using var lists = writer.Finish();
        Assert.Equal(keys, lists.InfoOf(0).Keys);
        Assert.Equal(keys, lists.KeysOf(0));
    }

    [Fact]
    public void Content_is_what_changes_the_result_of_a_step()
    {
        var list = TinyModel.List(1, 4, 3, 5);
        TokenizedList[] same = [list with { Source = new SourceLine("file", 3), Group = "group", IsChat = true, ScoresAreOrder = true }];
        TokenizedList[] others =
        [
            list with { PromptIds = [1] }, list with { AnswerIds = [[1], list.AnswerIds[1]] }, list with { Scores = [3, 2] },
            list with { AnswerTokenType = 1 }, list with { Margin = 0 }, list with { Weight = 2 }, list with { OwnPromptIds = [[1], null] },
            list with { PromptIds = [.. list.PromptIds, list.AnswerIds[0][0]], AnswerIds = [list.AnswerIds[0][1..], list.AnswerIds[1]] },
        ];
        Assert.All(same, other => Assert.Equal(ListKeys.ContentOf(list), ListKeys.ContentOf(other)));
        Assert.Equal(others.Length + 1, others.Append(list).Select(ListKeys.ContentOf).Distinct().Count());
    }

    [Fact]
    public void Keys_and_content_are_the_same_for_ever()
    {
        var keys = ListKeys.Of(RankedList.BestFirst("prompt", "a", "b"));
        Assert.Equal("c46cafa5a33913dfa9bf53a6e2206e2e", keys.Prompt.ToString("x32"));
        Assert.Equal("8c5f28603e817554", keys.Answers.ToString("x16"));
        Assert.Equal("feb7f647f3ea2db1a512a935defcbb3b", ListKeys.ContentOf(new TokenizedList([1, 2], [[3], [4]], [1, 0])).ToString("x32"));
    }

    [Fact]
    public void A_list_with_other_numbers_of_answers_and_scores_is_refused()
    {
        using var writer = new CompactListsWriter();
        Assert.Equal(
            "The list f:2 has 2 answers, 1 scores, no prompts of their own and attributes of no answers; expected as many of each. (Parameter 'list')",
            Assert.Throws<ArgumentException>(() => writer.Add(new TokenizedList([], [[1], [2]], [1], new SourceLine("f", 2)), default)).Message);
    }

    [Fact]
    public void No_list_is_read_after_the_end()
    {
        var lists = SomeLists.InMemory([TinyModel.List(1, 2, 3)]);
        Assert.Throws<ArgumentOutOfRangeException>(() => lists[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => lists[-1]);
        lists.Dispose();
        Assert.Throws<ObjectDisposedException>(() => lists[0]);
    }

    [Fact]
    public void A_subset_has_the_lists_of_its_indices()
    {
        TokenizedList[] lists = [.. Enumerable.Range(0, 9).Select(i => TinyModel.List((ulong)i, 2, 3, 4))];
        using var compact = SomeLists.InMemory(lists);
        foreach (var all in new IReadOnlyList<TokenizedList>[] { lists, compact })
        {
            var subset = new ListSubset(new ListSubset(all, [8, 1, 4, 6]), [3, 0]);
            AssertSame([lists[6], lists[8]], subset);
            Assert.Equal(lists.InfoOf(8), subset.InfoOf(1));
            Assert.Equal(lists[8].Scores, subset.ScoresOf(1));
            Assert.Equal(lists[8].Source, subset.SourceOf(1));
        }
    }

    private static void AssertSame(TokenizedList[] expected, IReadOnlyList<TokenizedList> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        // Last first: a list is found without those before it.
        for (var i = expected.Length - 1; i >= 0; i--)
            SomeLists.AssertSame(expected[i], actual[i]);
        Assert.Equal(expected.Select(ListKeys.ContentOf), actual.Select(ListKeys.ContentOf));
    }
}
