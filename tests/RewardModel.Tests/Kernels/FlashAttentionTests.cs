using System.Runtime.InteropServices;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

/// <summary>
/// Flash attention's two calls, their merge and its gradient. On the CPU plain operators stand in for the two calls; on a GPU they are
/// libtorch's own.
/// </summary>
[Collection(nameof(RunsAlone))]
public class FlashAttentionTests
{
    private static readonly TokenizedList[] lists =
    [
        TinyModel.List(1, 9, 5, 1, 12, 3),
        TinyModel.List(2, 0, 4, 2),
        TinyModel.List(3, 60, 7, 50, 1),
        TinyModel.List(4, 1, 1, 40),
        TinyModel.List(5, 20, 40, 2, 3, 39, 20),
    ];

    public static TheoryData<int, int, int, int, bool, bool> Cases
    {
        get
        {
            var data = new TheoryData<int, int, int, int, bool, bool>();
            // Query heads, key heads; how far back and ahead a query sees; shared prompts; scored rows only.
            foreach (var (heads, keyHeads) in new[] { (4, 4), (6, 2), (3, 1) })
            {
                foreach (var scoredOnly in new[] { false, true })
                {
                    data.Add(heads, keyHeads, int.MaxValue, 0, true, scoredOnly);
                    // A window can't reach into a parent's keys by part, so those who ask for one don't share prompts.
                    foreach (var before in new[] { int.MaxValue, 0, 6 })
                        data.Add(heads, keyHeads, before, 0, false, scoredOnly);
                }
                foreach (var distance in new[] { int.MaxValue, 3 })
                    data.Add(heads, keyHeads, distance, distance, false, false);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_merged_calls_equal_the_composition(
        int heads, int keyHeads, int before, int after, bool shares, bool scoredOnly)
    {
        using var scope = NewDisposeScope();
        var (output, gradient) = Differences("cpu", ScalarType.Float32, heads, keyHeads, 8, before, after, shares, scoredOnly);
        Assert.InRange(output, 0, 1e-6);
        Assert.InRange(gradient, 0, 1e-6);
    }

    [Theory, MemberData(nameof(Cases))]
    public void They_do_so_in_float64(int heads, int keyHeads, int before, int after, bool shares, bool scoredOnly)
    {
        using var scope = NewDisposeScope();
        var (output, gradient) = Differences("cpu", ScalarType.Float64, heads, keyHeads, 8, before, after, shares, scoredOnly);
        // The composition's mask is float32, its numbers 0 and minus infinity.
        Assert.InRange(output, 0, 1e-14);
        Assert.InRange(gradient, 0, 1e-14);
    }

    [Fact]
    public void Large_scores_of_one_side_do_not_overflow_the_merge()
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 3, 2)]);
        var q = ones(5, 1, 8);
        // The prompt's keys count for nothing beside the answer's own, then the other way round.
        foreach (var sign in new[] { 1, -1 })
        {
            var k = cat([full(3, 1, 8, -100 * sign), full(2, 1, 8, 100 * sign)]);
            var v = cat([full(3, 1, 8, 1), full(2, 1, 8, 2)]);
            var output = Attention.Flash(q, k, v, sequences.AllRows, new AttentionOptions(1), new PlainFlashOperators());
            float[] found = [.. Values(output).Chunk(8).Select(row => MathF.Round(row.Distinct().Single(), 5))];
            Assert.Equal(sign > 0 ? [1f, 1, 1, 2, 2] : [1f, 1, 1, 1, 1], found);
        }
    }

    // TorchScript's compiler looks a call up in the schemas of the loaded libtorch, on every machine.
    [Fact]
    public void The_schemas_of_libtorchs_operators_have_the_arguments_that_they_are_called_with() => jit.compile(
        """
        def forward(q: Tensor, k: Tensor, v: Tensor, queries: Optional[Tensor], keys: Optional[Tensor], most: int, scale: float):
            output, sums, random, unused, mask = torch._flash_attention_forward(
                q, k, v, queries, keys, most, most, 0.0, True, False, scale=scale, window_size_left=most, window_size_right=None)
            return output, sums, random, unused, mask

        def backward(
                gradient: Tensor, q: Tensor, k: Tensor, v: Tensor, output: Tensor, sums: Tensor, queries: Tensor, keys: Tensor, most: int,
                random: Tensor, unused: Tensor, scale: float):
            dq, dk, dv = torch._flash_attention_backward(
                gradient, q, k, v, output, sums, queries, keys, most, most, 0.0, True, random, unused, scale=scale,
                window_size_left=most, window_size_right=None)
            return dq, dk, dv

        """).Dispose();

    // They have no implementation for the CPU, and say so once they have read all arguments.
    [Fact]
    public void Where_libtorchs_operators_fail_an_exception_names_them()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, 1, 8);
        var ranges = new FlashRanges(tensor(new[] { 0, 2 }), tensor(new[] { 0, 2 }), 2, 2);
        var reach = new FlashReach(IsCausal: true, 5, null);
        var error = Assert.Throws<ExternalException>(() => FlashOperators.Instance.Forward(x, x, x, ranges, reach, 0.5));
        Assert.Contains("aten::_flash_attention_forward", error.Message);
        var forward = new FlashResult(x, ones(1, 2), [zeros(2), zeros(2)]);
        error = Assert.Throws<ExternalException>(() => FlashOperators.Instance.Backward(x, x, x, x, forward, ranges, reach, 0.5));
        Assert.Contains("aten::_flash_attention_backward", error.Message);
    }

    [Fact]
    public void What_a_backward_pass_throws_arrives_behind_it()
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack(lists);
        var q = Random(1, sequences.TokenCount, 2, 8).requires_grad_();
        Attention.Flash(q, q, q, sequences.AllRows, new AttentionOptions(1), new NoBackward()).sum().backward();
        Assert.Equal("no way back", Assert.Throws<ExternalException>(KernelErrors.Throw).Message);
        KernelErrors.Throw();
    }

    [Fact]
    public void The_gradient_does_not_need_the_sequences_any_more()
    {
        using var scope = NewDisposeScope();
        Tensor Gradient(bool disposeFirst)
        {
            var q = Random(1, 9, 2, 8).requires_grad_();
            using var sequences = PackedSequences.Pack([TinyModel.List(1, 4, 3, 2)]);
            var sum = Attention.Flash(q, q, q, sequences.AllRows, new AttentionOptions(1), new PlainFlashOperators()).sum();
            if (disposeFirst)
                sequences.Dispose();
            sum.backward();
            return q.grad!;
        }
        Assert.Equal(0, Difference(Gradient(disposeFirst: false), Gradient(disposeFirst: true)));
    }

    [Fact]
    public void Passes_leave_no_tensors_behind()
    {
        void Pass()
        {
            using var scope = NewDisposeScope();
            using var sequences = PackedSequences.Pack(lists);
            var q = Random(1, sequences.TokenCount, 2, 8).requires_grad_();
            foreach (var scoredOnly in new[] { false, true })
            {
                var rows = new QueryRows(sequences, scoredOnly);
                Attention.Flash(rows.Of(q), q, q, rows, new AttentionOptions(1), new PlainFlashOperators()).sum().backward();
            }
            KernelErrors.Throw();
        }

        Pass();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 5; i++)
            Pass();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [CudaTheory]
    [InlineData(4, 4, 64)]
    [InlineData(6, 2, 128)]
    [InlineData(3, 1, 32)]
    public void On_a_GPU_libtorchs_kernels_equal_the_composition(int heads, int keyHeads, int headSize)
    {
        using var scope = NewDisposeScope();
        foreach (var scoredOnly in new[] { false, true })
        {
            AssertEqual(int.MaxValue, 0, shares: true);
            AssertEqual(int.MaxValue, 0, shares: false);
            AssertEqual(6, 0, shares: false);
            if (!scoredOnly)
            {
                AssertEqual(int.MaxValue, int.MaxValue, shares: false);
                AssertEqual(3, 3, shares: false);
            }

            void AssertEqual(int before, int after, bool shares)
            {
                var (output, gradient) = Differences(
                    "cuda", ScalarType.BFloat16, heads, keyHeads, headSize, before, after, shares, scoredOnly);
                // A bfloat16 has 8 bits.
                Assert.InRange(output, 0, 0.02);
                Assert.InRange(gradient, 0, 0.02);
            }
        }
    }

    [CudaFact]
    public void On_a_GPU_bfloat16_means_flash_attention_where_that_can_do_it()
    {
        using var scope = NewDisposeScope();
        var bfloat16Options = new AttentionOptions(0.7) { Precision = Precision.Bfloat16 };
        Assert.True(IsFlash(8, bfloat16Options));
        // A window that nothing is outside of.
        Assert.True(IsFlash(8, bfloat16Options with { Reach = AttentionReach.Window(200) }));
        Assert.False(IsFlash(8, bfloat16Options with { Reach = AttentionReach.Window(20) }));
        Assert.False(IsFlash(12, bfloat16Options));
        Assert.False(IsFlash(264, bfloat16Options));
        Assert.False(IsFlash(8, bfloat16Options with { Precision = Precision.Float32 }));
        Assert.False(IsFlash(8, bfloat16Options with { SoftCap = 50 }));

        static bool IsFlash(long headSize, AttentionOptions options)
        {
            using var sequences = PackedSequences.Pack(lists, device: "cuda");
            var q = Random(1, sequences.TokenCount, 4, headSize).to("cuda");
            var found = Attention.Apply(q, q, q, sequences.AllRows, options);
            var composed = Attention.Compose(q, q, q, sequences.AllRows, options);
            // Composed of float32, and the same operators: the same bits.
            return Difference(composed, found) > 0;
        }
    }

    /// <summary>
    /// How far results and gradients are from those of the composition, which computes with the same numbers in float32 or float64: the
    /// largest difference over the largest number.
    /// </summary>
    private static (double Output, double Gradient) Differences(
        Device device, ScalarType type, int heads, int keyHeads, int headSize, int before, int after, bool shares, bool scoredOnly)
    {
        using var sequences = PackedSequences.Pack(lists, shares, device);
        var rows = new QueryRows(sequences, scoredOnly);
        var options = new AttentionOptions(0.7) { Reach = new AttentionReach(before, after) };
        var exact = type == ScalarType.Float64 ? type : ScalarType.Float32;
        var count = sequences.TokenCount;
        // As projections leave them: heads side by side in one tensor, queries of the computed rows only.
        var numbers = Random(1, count, heads + 2 * keyHeads, headSize).mul(2 / Math.Sqrt(headSize)).to(type).to(exact, device);
        var weights = Random(2, scoredOnly ? sequences.ScoredRows.size(0) : count, heads * headSize).to(type).to(exact, device);

        (Tensor Result, Tensor Gradient) Run(
            Func<Tensor, Tensor, Tensor, QueryRows, AttentionOptions, Tensor> attention, ScalarType computed)
        {
            var qkv = numbers.clone().requires_grad_();
            var typed = qkv.to(computed);
            var result = attention(
                rows.Of(typed.narrow(1, 0, heads)), typed.narrow(1, heads, keyHeads), typed.narrow(1, heads + keyHeads, keyHeads), rows,
                options).to(exact);
            result.mul(weights).sum().backward();
            return (result.detach(), qkv.grad!);
        }

        var expected = Run(Attention.Compose, exact);
        IFlashOperators? operators = device.type == DeviceType.CPU ? new PlainFlashOperators() : null;
        var found = Run((q, k, v, queried, given) => Attention.Flash(q, k, v, queried, given, operators), type);
        return (Difference(expected.Result, found.Result), Difference(expected.Gradient, found.Gradient));
    }

    private static double Difference(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.shape, found.shape);
        var scale = expected.abs().max();
        return expected.sub(found).abs().max().div(scale).to(ScalarType.Float64).cpu().item<double>();
    }

    private static Tensor Random(long seed, params long[] shape)
    {
        using var generator = manual_seed(seed);
        return nn.init.normal_(empty(shape), generator: generator);
    }

    private static float[] Values(Tensor tensor)
    {
        using var accessor = tensor.contiguous().data<float>();
        return accessor.ToArray();
    }

    private sealed class NoBackward : IFlashOperators
    {
        private readonly PlainFlashOperators operators = new();

        public FlashResult Forward(Tensor q, Tensor k, Tensor v, FlashRanges ranges, FlashReach reach, double scale) =>
            operators.Forward(q, k, v, ranges, reach, scale);

        public (Tensor Dq, Tensor Dk, Tensor Dv) Backward(
            Tensor gradient, Tensor q, Tensor k, Tensor v, FlashResult forward, FlashRanges ranges, FlashReach reach, double scale) =>
            throw new ExternalException("no way back");
    }
}
