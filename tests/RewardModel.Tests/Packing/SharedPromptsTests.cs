using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Packing;

public class SharedPromptsTests
{
    [Fact]
    public void Lists_of_one_prompt_become_one()
    {
        int[] prompt = [.. Enumerable.Range(0, 20)];
        TokenizedList[] lists = [new(prompt, [[1], [2]], [1, 0]), new([5], [[3]], [0]), new([.. prompt], [[4, 4], [1]], [0, 0])];
        var shared = new SharedPrompts(lists);
        Assert.Equal(2, shared.Lists.Count);
        Assert.Equal([[1], [2], [4, 4], [1]], shared.Lists[0].AnswerIds);
        Assert.Same(lists[1], shared.Lists[1]);
        Assert.Equal([2, 1], [shared.CountOf(0), shared.CountOf(1)]);
        Assert.Equal([[10, 11], [20], [12, 13]], shared.RewardsOfAll([[10, 11, 12, 13], [20]]));
    }

    [Fact]
    public void Lists_that_differ_in_what_the_model_reads_stay_apart()
    {
        int[] prompt = [.. Enumerable.Range(0, 20)];
        TokenizedList[] lists =
        [
            new(prompt, [[1]], [0]), new(prompt, [[1]], [0]) { AnswerTokenType = 1 }, new(prompt, [[1]], [0]) { OwnPromptIds = [[3]] },
            new([.. prompt, 1], [[1]], [0]), new([], [[1], [2]], [0, 0]),
        ];
        var shared = new SharedPrompts(lists);
        Assert.Same(lists, shared.Lists);
        float[][] rewards = [[1], [2], [3], [4], [5, 6]];
        Assert.Same(rewards, shared.RewardsOfAll(rewards));
        Assert.Equal(1, shared.CountOf(3));
    }

    [Fact]
    public void Texts_are_divided_where_the_fewest_tokens_are_left()
    {
        int[] first = [.. Enumerable.Repeat(1, 20)], longer = [.. first, .. Enumerable.Repeat(2, 40)], other = [.. Enumerable.Repeat(9, 30)];
        // Two that have 60 tokens in common, one that has 20 of these, two that have 30 in common, one that is like no other.
        TokenizedList[] lists = [.. new int[][] { [.. longer, 5], [.. other, 1], [.. first, 7, 7], [.. longer, 6, 6], [.. other, 2], [4, 4] }
            .Select(text => new TokenizedList([], [text], [0]))];
        var shared = new SharedPrompts(lists);
        var byPrompt = shared.Lists.ToLookup(list => list.PromptIds.Length);
        Assert.Equal([[5], [6, 6]], byPrompt[60].Single().AnswerIds);
        Assert.Equal([[1], [2]], byPrompt[30].Single().AnswerIds);
        Assert.Equal([lists[2], lists[5]], byPrompt[0]);
        Assert.Equal([60, 30, 0, 0], shared.Lists.Select(list => list.PromptIds.Length));
    }

    /// <summary>Against every way of dividing them.</summary>
    [Fact]
    public void No_other_division_of_texts_leaves_fewer_tokens()
    {
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            int[][] texts = [.. Enumerable.Range(0, 6).Select(_ => Enumerable.Range(0, 18 + random.Next(10)).Select(i => i < 15 ? 0 : random.Next(2)).ToArray())];
            var shared = new SharedPrompts([.. texts.Select(text => new TokenizedList([], [text], [0]))]);
            // A text that another one begins with is counted here, as how texts are divided does not go by that.
            var found = shared.Lists.Sum(list => list.PromptIds.Length + list.AnswerIds.Sum(ids => ids.Length));
            Assert.Equal(Best([.. texts]), found);
        }

        // The cheapest way to group the first text with some of the others, and then the rest.
        static int Best(List<int[]> texts)
        {
            if (texts.Count == 0)
                return 0;
            var best = int.MaxValue;
            for (var others = 0; others < 1 << (texts.Count - 1); others++)
            {
                var group = texts.Where((_, i) => i == 0 || (others >> (i - 1) & 1) == 1).ToList();
                var common = group.Min(text => Math.Min(text.Length - 1, text.AsSpan().CommonPrefixLength(group[0])));
                if (group.Count > 1 && common < PromptCache.LeastTokens)
                    continue;
                var rest = texts.Where((_, i) => i > 0 && (others >> (i - 1) & 1) == 0).ToList();
                best = Math.Min(best, group.Sum(text => text.Length) - (group.Count - 1) * common + Best(rest));
            }
            return best;
        }
    }

    [Theory, InlineData("llama"), InlineData("gpt2"), InlineData("bert")]
    public void Rewards_come_back_to_their_lists(string name)
    {
        using var model = ParityModel.Random(name);
        var scorer = new RewardScorer(model);
        var list = TinyModel.List(1, 25, 4, 5);
        TokenizedList[] lists =
        [
            list, TinyModel.List(2, 9, 3), list with { AnswerIds = [list.AnswerIds[1], [3, 4]] },
            .. list.AnswerIds.Select(answer => new TokenizedList([], [[.. list.PromptIds, .. answer]], [0])),
        ];
        var reports = new List<ListProgress>();
        var found = scorer.Score(lists, new Reports(reports));
        Assert.Equal(new ListProgress(5, 5), reports[^1]);
        Numbers.AssertEqualButForRounding(
            [.. lists.SelectMany(one => scorer.Score([one])[0])], [.. found.SelectMany(rewards => rewards)], Numbers.UnitsOfModels);
    }

    [Fact]
    public void Lists_without_answers_or_tokens_are_told_as_they_are_alone()
    {
        using var model = ParityModel.Random("llama");
        var scorer = new RewardScorer(model);
        var text = new TokenizedList([], [[1, 2]], [0]);
        Assert.StartsWith(
            "Answer 1 of the list at a:1 has no tokens; ",
            Assert.Throws<ArgumentException>(() => scorer.Score([text, new([], [[]], [0], new SourceLine("a", 1))])).Message);
        var list = TinyModel.List(1, 25, 4);
        Assert.StartsWith(
            "The list at a:1 has no answers; ",
            Assert.Throws<ArgumentException>(() => scorer.Score([list, new(list.PromptIds, [], [], new SourceLine("a", 1))])).Message);
    }

    private sealed class Reports(List<ListProgress> reports) : IProgress<ListProgress>
    {
        public void Report(ListProgress value) => reports.Add(value);
    }
}
