using RewardModel.Layers;
using RewardModel.Ranking;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

/// <summary>Every kernel gives what the same composed of TorchSharp's operators gives, and the same gradients.</summary>
public class NativeKernelsTests
{
    private static readonly TokenizedList[] lists =
    [
        TinyModel.List(1, 9, 5, 1, 12, 3),
        TinyModel.List(2, 0, 4, 2),
        TinyModel.List(3, 300, 7, 260, 1),
        TinyModel.List(4, 1, 1, 40),
    ];

    public static TheoryData<int, int, int, int, bool, bool> Cases
    {
        get
        {
            var data = new TheoryData<int, int, int, int, bool, bool>();
            // Query heads, key heads; how far back and ahead a query sees; shared prompts; scored rows only.
            foreach (var (heads, keyHeads) in new[] { (4, 4), (6, 2), (3, 1) })
            {
                foreach (var before in new[] { int.MaxValue, 0, 6, 150 })
                    foreach (var scoredOnly in new[] { false, true })
                        foreach (var shares in new[] { false, true })
                            data.Add(heads, keyHeads, before, 0, shares, scoredOnly);
                foreach (var distance in new[] { int.MaxValue, 3 })
                    data.Add(heads, keyHeads, distance, distance, false, false);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Attention_equals_its_composition(int heads, int keyHeads, int before, int after, bool shares, bool scoredOnly)
    {
        const int headSize = 5;
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack(lists, shares);
        var rows = new QueryRows(sequences, scoredOnly);
        var options = new AttentionOptions(0.7) { Reach = new AttentionReach(before, after) };
        var count = sequences.TokenCount;
        // As projections leave them: heads side by side in one tensor, queries of the computed rows only.
        var qkv = Random(1, count, heads + 2 * keyHeads, headSize).requires_grad_();
        var weights = Random(2, scoredOnly ? sequences.ScoredRows.size(0) : count, heads * headSize);

        (Tensor Result, Tensor Gradient) Run(Func<Tensor, Tensor, Tensor, QueryRows, AttentionOptions, Tensor> attention)
        {
            qkv.grad = null;
            var result = attention(
                rows.Of(qkv.narrow(1, 0, heads)), qkv.narrow(1, heads, keyHeads), qkv.narrow(1, heads + keyHeads, keyHeads), rows, options);
            result.mul(weights).sum().backward();
            return (result.detach(), qkv.grad!);
        }

        var expected = Run(Attention.Compose);
        var found = Run(Attention.Apply);
        AssertClose(expected.Result, found.Result, 5e-6);
        AssertClose(expected.Gradient, found.Gradient, 1e-5);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Attention_passes_on_what_is_no_number(float value)
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 3, 2, 4)]);
        var qkv = Random(1, sequences.TokenCount, 3, 5);
        // The key of the prompt's second token, which its first token does not see.
        qkv.narrow(0, 1, 1).narrow(1, 1, 1).fill_(value);
        var result = Attention.Apply(
            qkv.narrow(1, 0, 1), qkv.narrow(1, 1, 1), qkv.narrow(1, 2, 1), sequences.AllRows, new AttentionOptions(0.7));
        using var values = result.data<float>();
        bool[] areFinite = [.. values.ToArray().Chunk(5).Select(row => row.All(float.IsFinite))];
        Assert.DoesNotContain(true, areFinite[1..]);
        // In the composition a key that is no number also reaches queries that don't see it: the mask is added to its scores.
        Assert.Equal(NativeKernels.AreAvailable || float.IsInfinity(value), areFinite[0]);
    }

    [Fact]
    public void Gelu_equals_its_composition()
    {
        using var scope = NewDisposeScope();
        var x = Random(3, 50, 40).mul(3).requires_grad_();
        var gelu = Activations.ByName("gelu_new");
        gelu(x).sum().backward();
        var gradient = x.grad!;
        x.grad = null;
        Activations.ComposedGeluTanh(x).sum().backward();
        AssertClose(Activations.ComposedGeluTanh(x).detach(), gelu(x).detach(), 1e-6);
        AssertClose(x.grad!, gradient, 5e-6);
    }

    private static Tensor Random(long seed, params long[] shape)
    {
        using var generator = manual_seed(seed);
        return nn.init.normal_(empty(shape), generator: generator);
    }

    private static void AssertClose(Tensor expected, Tensor found, double tolerance)
    {
        Assert.Equal(expected.shape, found.shape);
        using var expectedValues = expected.contiguous().data<float>();
        using var foundValues = found.contiguous().data<float>();
        Assert.InRange(expectedValues.ToArray().Zip(foundValues.ToArray()).Max(pair => Math.Abs(pair.First - pair.Second)), 0, tolerance);
    }
}
