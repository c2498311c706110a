using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

/// <summary>Alone, because torch's default generator is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class DropoutTests
{
    // Ragged, an empty prompt, a list with the content of another one, and a list with prompts of their own for some answers.
    private static readonly TokenizedList[] lists =
    [
        TinyModel.List(1, 9, 5, 1, 12, 3),
        TinyModel.List(2, 0, 4, 2),
        TinyModel.List(1, 9, 5, 1, 12, 3),
        TinyModel.List(3, 20, 7, 7) with { OwnPromptIds = [null, TinyModel.List(3, 20, 7, 7).PromptIds[5..]] },
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_list_draws_the_same_in_any_pack(bool sharePrompts)
    {
        using var scope = NewDisposeScope();
        var together = Masks(lists, [0, 1, 2, 3], sharePrompts);
        int[] backwards = [3, 2, 1, 0];
        var reversed = Masks([.. backwards.Select(l => lists[l])], backwards, sharePrompts);
        for (var l = 0; l < lists.Length; l++)
        {
            Assert.Equal(together[l], reversed[Array.IndexOf(backwards, l)]);
            Assert.Equal(together[l], Masks([lists[l]], [l], sharePrompts)[0]);
            // In parts, an answer each, and in another order.
            for (var k = 0; k < together[l].Length; k++)
                Assert.Equal(together[l][k], Masks([lists[l].WithAnswers([k])], [l], sharePrompts)[0][0]);
            int[] lastFirst = [.. Enumerable.Range(0, together[l].Length).Reverse()];
            Assert.Equal(together[l].Reverse(), Masks([lists[l].WithAnswers(lastFirst)], [l], sharePrompts)[0]);
        }
        // Equal answers draw the same, and so the one that stands for both.
        var twice = Masks([lists[0].WithAnswers([2, 0, 2])], [0], sharePrompts)[0];
        Assert.Equal([together[0][2], together[0][0], together[0][2]], twice);
        Assert.Equal(twice[..2], Masks(new DistinctAnswers([lists[0].WithAnswers([2, 0, 2])]).Lists, [0], sharePrompts)[0]);
    }

    [Fact]
    public void Other_lists_answers_rows_layers_sites_and_seeds_draw_differently()
    {
        using var scope = NewDisposeScope();
        var masks = Masks(lists, null, sharePrompts: true);
        // Of one content, but not the same list.
        Assert.NotEqual(masks[0][0], masks[2][0]);
        Assert.Equal(masks, Masks(lists, [0, 1, 2, 3], sharePrompts: true));
        Assert.NotEqual(masks[0], Masks(lists, [4, 1, 2, 3], sharePrompts: true)[0]);
        Assert.NotEqual(masks[0], Masks(lists, null, sharePrompts: true, seed: 2)[0]);
        Assert.NotEqual(masks[0], Masks(lists, null, sharePrompts: true, layer: 3)[0]);
        Assert.NotEqual(masks[0], Masks(lists, null, sharePrompts: true, sitesBefore: 1)[0]);
        // No row comes twice: a prompt's rows are its answers' alike, so they count once.
        string[] rows = [.. masks.SelectMany(list => list.SelectMany(answer => answer).Distinct())];
        Assert.Distinct(rows);

        // What an answer continues is part of what it draws by: a shared prompt's rows are the same, a copy's are not.
        Assert.Equal(masks[0][0][..9], masks[0][1][..9]);
        var copies = Masks(lists, null, sharePrompts: false);
        Assert.NotEqual(copies[0][0][..9], copies[0][1][..9]);
        Assert.NotEqual(masks[3][0][^7..], Masks([lists[3] with { OwnPromptIds = null }], [3], sharePrompts: true)[0][1][^7..]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_last_layer_s_rows_draw_as_they_would_among_all(bool sharePrompts)
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack(lists, sharePrompts);
        using var pass = new ForwardPass(sequences, dropoutSeed: 1);
        Tensor Of(long count)
        {
            using var draws = pass.Draws(layer: 2);
            return DropoutKernel.Next(ones(count, 40), 0.5);
        }
        Assert.Equal(Values(Of(sequences.TokenCount).index_select(0, sequences.ScoredRows)), Values(Of(sequences.ScoredRows.size(0))));
    }

    [Fact]
    public void Where_all_tokens_are_scored_their_order_is_that_of_the_row()
    {
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 0, 1, 1), TinyModel.List(2, 0, 1), TinyModel.List(3, 0, 1, 1, 1)]);
        using var rows = sequences.ScoredRows.data<long>();
        Assert.Equal([0, 1, 2, 3, 4, 5], rows.ToArray());
        using var pass = new ForwardPass(sequences, dropoutSeed: 1);
        using (pass.Draws(layer: 1))
            Assert.Equal(6, DropoutDraws.NextKeys(6).Length);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void Attention_s_kernel_and_its_composition_drop_the_same_weights(bool sharePrompts, bool scoredOnly)
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack(lists, sharePrompts);
        using var pass = new ForwardPass(sequences, dropoutSeed: 1);
        var rows = new QueryRows(sequences, scoredOnly);
        var generator = new Generator(3);
        var qkv = randn([sequences.TokenCount, 10, 8], generator: generator).requires_grad_();
        var direction = randn([scoredOnly ? sequences.ScoredRows.size(0) : sequences.TokenCount, 48], generator: generator);

        (float[] Result, float[] Gradient) Run(Func<Tensor, Tensor, Tensor, QueryRows, AttentionOptions, Tensor> attention, double rate)
        {
            qkv.grad = null;
            using var draws = pass.Draws(layer: 1);
            var options = new AttentionOptions(0.7) { Dropout = rate };
            var result = attention(rows.Of(qkv.narrow(1, 0, 6)), qkv.narrow(1, 6, 2), qkv.narrow(1, 8, 2), rows, options);
            result.backward([direction]);
            KernelErrors.Throw();
            return (Values(result), Values(qkv.grad!));
        }

        var (expected, expectedGradient) = Run(Attention.Compose, 0.4);
        var (found, foundGradient) = Run(Attention.Apply, 0.4);
        // Sums of up to 32 weighted values, and of 48 products in the gradient.
        Numbers.AssertEqualButForRounding(expected, found, units: 8);
        Numbers.AssertEqualButForRounding(expectedGradient, foundGradient, units: 32);
        Assert.InRange(Numbers.LargestDifference(expected, Run(Attention.Apply, 0).Result), 0.1, 100);
    }

    [Fact]
    public void A_pass_without_a_seed_takes_one_from_torch_once_it_drops_something()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create("gpt2", dropout: 0.5);
        using var sequences = model.Pack(lists);
        manual_seed(5);
        var untouched = Values(rand(3));
        manual_seed(5);
        model.eval();
        _ = model.forward(sequences);
        Assert.Equal(untouched, Values(rand(3)));
        model.train();
        manual_seed(5);
        var first = Values(model.forward(sequences));
        var second = Values(model.forward(sequences));
        manual_seed(5);
        Assert.Equal(first, Values(model.forward(sequences)));
        Assert.NotEqual(first, second);
    }

    /// <summary>For each list and answer the masks of its rows, those of its prompt before them, as text.</summary>
    private static string[][][] Masks(
        IReadOnlyList<TokenizedList> packed, int[]? numbers, bool sharePrompts, ulong seed = 1, int layer = 2, int sitesBefore = 0)
    {
        using var sequences = PackedSequences.Pack(packed, sharePrompts);
        using var pass = new ForwardPass(sequences, seed) { ListNumbers = numbers };
        using var draws = pass.Draws(layer);
        for (var site = 0; site < sitesBefore; site++)
            DropoutDraws.NextKeys(sequences.TokenCount);
        string[] rows =
        [
            .. Values(DropoutKernel.Next(ones(sequences.TokenCount, 60), 0.5)).Chunk(60)
                .Select(row => string.Concat(row.Select(value => value == 0 ? '.' : '1'))),
        ];
        var scored = 0;
        return
        [
            .. packed.Select(list => list.AnswerIds.Select(_ =>
            {
                var segment = sequences.Segments[sequences.ScoredSegments[scored++]];
                string[] Of(Segment one) => rows[one.Start..(one.Start + one.Length)];
                return (string[])[.. segment.Parent == Segment.NoParent ? [] : Of(sequences.Segments[segment.Parent]), .. Of(segment)];
            }).ToArray()),
        ];
    }

    private static float[] Values(Tensor tensor)
    {
        using var data = tensor.detach().contiguous().data<float>();
        return data.ToArray();
    }
}
