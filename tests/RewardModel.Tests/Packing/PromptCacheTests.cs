using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Packing;

/// <summary>Alone, because it counts the tensors that live.</summary>
[Collection(nameof(RunsAlone))]
public class PromptCacheTests
{
    private const long room = 1 << 24;

    public static TheoryData<string> Models => [.. ParityModel.NamesOfRepository];

    /// <summary>Prompts that are known, that begin as known ones do, and that are cut for each answer, with texts without a prompt among them.</summary>
    [Theory, MemberData(nameof(Models))]
    public void Known_prompts_change_no_reward(string name)
    {
        using var model = ParityModel.Random(name);
        using var cache = new PromptCache(room);
        var (plain, cached) = (new RewardScorer(model), new RewardScorer(model, cache: cache));
        int[] common = [.. TinyModel.List(9, 40, 1).PromptIds];
        TokenizedList[] lists =
        [
            List(common, 5, 3, 8), List([.. common, 3, 4, 5], 2, 9), List(common[..30], 4, 1), List([1, 2, 3], 6),
            List([], 50, 40), new([], [[.. common, 7, 7, 8]], [0]), new([], [common], [0]),
            List(common, 3, 7) with { OwnPromptIds = [null, common[5..]] },
        ];
        var expected = lists.Select(list => plain.Score([list])[0]).ToArray();
        AssertClose(expected, [.. lists.Select(list => cached.Score([list])[0])]);
        AssertClose(expected, [.. lists.Select(list => cached.Score([list])[0])]);
        AssertClose(expected, cached.Score(lists));
        Assert.Equal(model.SharesPrompts, cache.Count > 0);
        Assert.Equal(model.SharesPrompts, cache.Bytes > 0);
    }

    [Fact]
    public void Only_what_is_not_known_is_computed()
    {
        using var model = ParityModel.Random("llama");
        using var cache = new PromptCache(room);
        var list = TinyModel.List(1, 30, 4, 5);
        Assert.Equal((39, 39), Counts(list));
        Assert.Equal((9, 39), Counts(list));
        // Ten tokens more, five tokens less, and a text of which the last token is computed in any case.
        Assert.Equal((10 + 6, 46), Counts(list with { PromptIds = [.. list.PromptIds, .. Enumerable.Repeat(3, 10)], AnswerIds = [[1, 2, 3, 4, 5, 6]] }));
        Assert.Equal((9, 34), Counts(list with { PromptIds = list.PromptIds[..25] }));
        Assert.Equal((1, 30), Counts(new TokenizedList([], [list.PromptIds], [0])));
        // Too short to be worth it.
        Assert.Equal((17, 17), Counts(list with { PromptIds = list.PromptIds[..15], AnswerIds = [[9, 9]] }));

        (int Computed, int Keys) Counts(TokenizedList list)
        {
            using var sequences = model.Pack([list], cache);
            using var _ = no_grad();
            using var rewards = model.call(sequences);
            sequences.Prompts!.Keep();
            return (sequences.TokenCount, sequences.KeyCount);
        }
    }

    [Fact]
    public void Memory_is_bounded_and_what_was_used_last_stays()
    {
        using var model = ParityModel.Random("llama");
        TokenizedList[] lists = [.. Enumerable.Range(1, 4).Select(i => TinyModel.List((ulong)i, 32, 2))];
        using var measured = new PromptCache(room);
        new RewardScorer(model, cache: measured).Score([lists[0]]);
        // Three prompts have room.
        using var cache = new PromptCache(3 * measured.Bytes + 1);
        var scorer = new RewardScorer(model, cache: cache);
        foreach (var l in new[] { 0, 1, 2, 0, 3 })
        {
            scorer.Score([lists[l]]);
            Thread.Sleep(20);
        }
        Assert.Equal((3, 3 * measured.Bytes), (cache.Count, cache.Bytes));
        Assert.Equal([true, false, true, true], lists.Select(list => IsKnown(cache, list)));
        using var none = new PromptCache(0);
        new RewardScorer(model, cache: none).Score(lists);
        Assert.Equal((0, 0), (none.Count, none.Bytes));
    }

    [Fact]
    public void What_there_is_no_room_for_is_not_copied()
    {
        using var model = ParityModel.Random("llama");
        TokenizedList[] lists = [.. Enumerable.Range(1, 4).Select(i => TinyModel.List((ulong)i, 32, 2))];
        using var measured = new PromptCache(room);
        new RewardScorer(model, cache: measured).Score([lists[0]]);
        foreach (var (maxBytes, count) in new[] { (0L, 0), (measured.Bytes - 1, 0), (3 * measured.Bytes + 1, 3) })
        {
            using var cache = new PromptCache(maxBytes);
            using var sequences = model.Pack(lists, cache);
            using var _ = no_grad();
            using var rewards = model.call(sequences);
            Assert.Equal(count * measured.Bytes, sequences.Prompts!.KeptBytes);
            sequences.Prompts.Keep();
            Assert.Equal((count, 0L), (cache.Count, sequences.Prompts.KeptBytes));
        }
    }

    [Fact]
    public void A_prompt_that_goes_on_takes_the_place_of_its_beginning()
    {
        using var model = ParityModel.Random("llama");
        using var cache = new PromptCache(room);
        var scorer = new RewardScorer(model, cache: cache);
        var list = TinyModel.List(1, 32, 2);
        scorer.Score([list]);
        scorer.Score([list with { PromptIds = [.. list.PromptIds, 5, 6, 7] }]);
        Assert.Equal(1, cache.Count);
        Assert.True(IsKnown(cache, list));
    }

    [Fact]
    public void Unused_prompts_are_forgotten_and_their_tensors_released()
    {
        using var model = ParityModel.Random("llama");
        // The model's tables of positions.
        new RewardScorer(model).Score([TinyModel.List(1, 40, 2)]);
        var before = Tensor.TotalCount;
        using (var cache = new PromptCache(room))
        {
            var scorer = new RewardScorer(model, cache: cache);
            scorer.Score([TinyModel.List(1, 32, 2)]);
            Thread.Sleep(1100);
            scorer.Score([TinyModel.List(2, 32, 2)]);
            Assert.Equal(0, cache.RemoveUnused(TimeSpan.FromMinutes(1)));
            Assert.Equal(1, cache.RemoveUnused(TimeSpan.FromSeconds(1)));
            Assert.True(IsKnown(cache, TinyModel.List(2, 32, 2)));
            // Read while they are forgotten.
            using (var sequences = model.Pack([TinyModel.List(2, 32, 4, 5, 6)], cache))
            {
                cache.Clear();
                Assert.Equal((0, 0), (cache.Count, cache.Bytes));
                using var _ = no_grad();
                using var rewards = model.call(sequences);
                AssertClose(new RewardScorer(model).Score([TinyModel.List(2, 32, 4, 5, 6)]), [rewards.data<float>().ToArray()]);
                sequences.Prompts!.Keep();
            }
            scorer.Score([TinyModel.List(3, 32, 2)]);
            Assert.Equal(1, cache.Count);
        }
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Lists_that_can_not_be_packed_hold_no_prompt()
    {
        using var model = ParityModel.Random("llama");
        using var cache = new PromptCache(room);
        var list = TinyModel.List(1, 32, 2);
        new RewardScorer(model, cache: cache).Score([list]);
        // A device that is not there.
        Assert.ThrowsAny<Exception>(() => PackedSequences.Pack([list], sharePrompts: true, new Device("cuda:99"), cache));
        var (prompt, _) = cache.Find(list.PromptIds)!.Value;
        Assert.Equal(1, prompt.UserCount);
        cache.Release(prompt);
    }

    [Fact]
    public void A_cache_is_of_one_model_and_of_no_use_after_its_end()
    {
        using var model = ParityModel.Random("llama");
        using var other = ParityModel.Random("llama");
        var cache = new PromptCache(room);
        var list = TinyModel.List(1, 32, 2);
        new RewardScorer(model, cache: cache).Score([list]);
        Assert.Contains("of another model", Assert.Throws<InvalidOperationException>(
            () => new RewardScorer(other, cache: cache).Score([list])).Message);
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => new RewardScorer(model, cache: cache).Score([list]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PromptCache(-1));
    }

    [Fact]
    public void What_was_computed_in_another_way_is_forgotten()
    {
        using var model = ParityModel.Random("llama");
        using var cache = new PromptCache(room);
        var (list, scorer) = (TinyModel.List(1, 32, 2, 5), new RewardScorer(model, cache: cache));
        scorer.Score([list]);
        Assert.True(IsKnown(cache, list));
        model.IsBatchInvariant = true;
        var exact = new RewardScorer(model).Score([list]);
        Assert.Equal(exact, scorer.Score([list]));
        Assert.Equal(exact, scorer.Score([list]));
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void Threads_share_a_cache_that_has_room_for_some_of_their_prompts()
    {
        using var model = ParityModel.Random("llama");
        TokenizedList[] lists = [.. Enumerable.Range(0, 24).Select(i => TinyModel.List((ulong)(i % 8), 20 + i % 8 * 5, 1 + i % 5, 7))];
        var expected = lists.Select(list => new RewardScorer(model).Score([list])[0]).ToArray();
        using var measured = new PromptCache(room);
        new RewardScorer(model, cache: measured).Score(lists);
        using var cache = new PromptCache(measured.Bytes / 2);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
            {
                var random = new Random(worker);
                for (var i = 0; i < 40; i++)
                {
                    TokenizedList[] some = [.. Enumerable.Range(0, 3).Select(_ => lists[random.Next(lists.Length)])];
                    AssertClose(
                        [.. some.Select(list => expected[Array.IndexOf(lists, list)])],
                        new RewardScorer(model, cache: cache).Score(some));
                    if (i % 16 == 7)
                        cache.RemoveUnused(TimeSpan.FromMilliseconds(1));
                }
            });
        Assert.InRange(cache.Bytes, 0, cache.MaxBytes);
    }

    /// <summary>The composition of operators, which other devices use, with keys of which a part is known.</summary>
    [Theory, InlineData("llama"), InlineData("gemma2"), InlineData("gpt2"), InlineData("mistral")]
    public void The_composition_computes_known_prompts_as_the_kernel_does(string name)
    {
        using var model = ParityModel.Random(name);
        using var cache = new PromptCache(room);
        var list = TinyModel.List(1, 40, 6, 9, 3);
        new RewardScorer(model, cache: cache).Score([list]);
        using var sequences = model.Pack([list with { PromptIds = [.. list.PromptIds, 4, 5] }, TinyModel.List(2, 20, 4)], cache);
        Assert.Equal(40, sequences.Prompts!.KnownCount);
        using var scope = NewDisposeScope();
        foreach (var scoredOnly in new[] { false, true })
        {
            var rows = new QueryRows(sequences, scoredOnly);
            var q_RNH = rows.Of(randn(sequences.TokenCount, 4, 8));
            var (k, v) = (randn(sequences.KeyCount, 2, 8), randn(sequences.KeyCount, 2, 8));
            foreach (var reach in new[] { AttentionReach.Causal, AttentionReach.Window(12) })
            {
                var options = new RewardModel.Layers.AttentionOptions(0.3) { Reach = reach };
                var settings = new AttentionSettings(
                    sequences.Attention.Problem(scoredOnly), new AttentionRule(0.3f, reach.Before, reach.After, 0));
                var byKernel = AttentionKernel.Apply(settings, q_RNH, k, v).view(q_RNH.size(0), -1);
                var composed = RewardModel.Layers.Attention.Compose(q_RNH, k, v, rows, options);
                Numbers.AssertEqualButForRounding(byKernel.data<float>().ToArray(), composed.data<float>().ToArray(), Numbers.UnitsOfModels);
            }
        }
    }

    private static bool IsKnown(PromptCache cache, TokenizedList list)
    {
        if (cache.Find(list.PromptIds) is not { } found)
            return false;
        cache.Release(found.Prompt);
        return found.Length == list.PromptIds.Length;
    }

    private static TokenizedList List(int[] prompt, params int[] answerLengths) =>
        TinyModel.List(5, 3, answerLengths) with { PromptIds = prompt };

    private static void AssertClose(float[][] expected, float[][] found)
    {
        Assert.Equal(expected.Select(rewards => rewards.Length), found.Select(rewards => rewards.Length));
        Numbers.AssertEqualButForRounding(
            [.. expected.SelectMany(rewards => rewards)], [.. found.SelectMany(rewards => rewards)], Numbers.UnitsOfModels);
    }
}
