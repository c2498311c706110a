using RewardModel.Backbones;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests.Kernels;

/// <summary>Every kernel gives what the same composed of TorchSharp's operators gives, and the same gradients.</summary>
[Collection(nameof(RunsAlone))]
public class KernelTests
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
    public void Attention_equals_its_composition(int heads, int keyHeads, int before, int after, bool shares, bool scoredOnly) =>
        CompareAttention(heads, keyHeads, shares, scoredOnly, new AttentionOptions(0.7) { Reach = new AttentionReach(before, after) });

    [Theory]
    [InlineData(0.3)]
    [InlineData(2)]
    [InlineData(50)]
    public void Attention_with_capped_scores_equals_its_composition(double cap)
    {
        CompareAttention(6, 2, shares: true, scoredOnly: false, new AttentionOptions(0.7) { SoftCap = cap });
        CompareAttention(
            6, 2, shares: true, scoredOnly: true, new AttentionOptions(0.7) { SoftCap = cap, Reach = AttentionReach.Window(6) });
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Attention_with_sinks_and_a_bias_of_keys_equals_its_composition(bool shares, bool scoredOnly)
    {
        using var scope = NewDisposeScope();
        var sinks = Random(3, 6).mul(3).requires_grad_();
        var bias = Random(4, 6, lists.Max(list => list.PromptIds.Length + list.AnswerIds.Max(ids => ids.Length))).mul(2);
        var options = new AttentionOptions(0.7);
        AttentionOptions[] all =
        [
            options with { Sinks_N = sinks }, options with { KeyBias_NP = bias },
            options with { Sinks_N = sinks, KeyBias_NP = bias, Reach = AttentionReach.Window(6), SoftCap = 2 },
        ];
        foreach (var one in all)
            CompareAttention(6, 2, shares, scoredOnly, one);
    }

    [Fact]
    public void A_bias_that_ends_before_the_longest_sequence_is_refused()
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 3, 4)]);
        var x = Random(1, 7, 2, 4);
        var error = Assert.Throws<ArgumentException>(() => Attention.Apply(
            x, x, x, sequences.AllRows, new AttentionOptions(1) { KeyBias_NP = zeros(2, 6) }));
        Assert.StartsWith("The bias has 6 positions; expected at least 7, those of the longest sequence.", error.Message, StringComparison.Ordinal);
    }

    private static void CompareAttention(int heads, int keyHeads, bool shares, bool scoredOnly, AttentionOptions options)
    {
        const int headSize = 5;
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack(lists, shares);
        var rows = new QueryRows(sequences, scoredOnly);
        var count = sequences.TokenCount;
        // As projections leave them: heads side by side in one tensor, queries of the computed rows only.
        var qkv = Random(1, count, heads + 2 * keyHeads, headSize).requires_grad_();
        var weights = Random(2, scoredOnly ? sequences.ScoredRows.size(0) : count, heads * headSize);

        (Tensor Result, Tensor Gradient, Tensor? OfSinks) Run(Func<Tensor, Tensor, Tensor, QueryRows, AttentionOptions, Tensor> attention)
        {
            qkv.grad = null;
            if (options.Sinks_N is { } sinks)
                sinks.grad = null;
            var result = attention(
                rows.Of(qkv.narrow(1, 0, heads)), qkv.narrow(1, heads, keyHeads), qkv.narrow(1, heads + keyHeads, keyHeads), rows, options);
            result.mul(weights).sum().backward();
            return (result.detach(), qkv.grad!, options.Sinks_N?.grad);
        }

        var expected = Run(Attention.Compose);
        var found = Run(Attention.Apply);
        AssertClose(expected.Result, found.Result, UnitsOfLargest(expected.Result, 16));
        AssertClose(expected.Gradient, found.Gradient, UnitsOfLargest(expected.Gradient, 32));
        if (expected.OfSinks is { } ofSinks)
            AssertClose(ofSinks, found.OfSinks!, UnitsOfLargest(ofSinks, 32));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dropout_in_attention_drops_its_share_of_the_weights_and_the_same_ones_in_the_backward_pass(bool scoredOnly)
    {
        const double rate = 0.3;
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack([TinyModel.List(1, 40, 30, 20), TinyModel.List(2, 0, 25)]);
        var rows = new QueryRows(sequences, scoredOnly);
        var count = sequences.TokenCount;
        var qk = Random(1, count, 6, count).mul(0.1).requires_grad_();
        // Values that are the tokens themselves: results are the weights.
        var identity = new float[count, 2 * count];
        for (var token = 0; token < count; token++)
            identity[token, token] = identity[token, count + token] = 1;
        var v = tensor(identity).view(count, 2, count);
        var directions = Random(2, scoredOnly ? sequences.ScoredRows.size(0) : count, 4 * count);
        Tensor Weights(Func<Tensor, Tensor, Tensor, QueryRows, AttentionOptions, Tensor> attention, double dropout)
        {
            using var _ = manual_seed(5);
            return attention(
                rows.Of(qk.narrow(1, 0, 4)), qk.narrow(1, 4, 2), v, rows, new AttentionOptions(0.5) { Dropout = dropout });
        }

        var dropped = Weights(Attention.Apply, rate);
        var whole = Weights(Attention.Compose, 0);
        using var wholeValues = whole.detach().data<float>();
        using var droppedValues = dropped.detach().data<float>();
        float[] factorValues = [.. droppedValues.ToArray().Select(weight => weight == 0 ? 0 : (float)(1 / (1 - rate)))];
        var factors = tensor(factorValues).view(whole.shape);
        AssertClose(whole.mul(factors).detach(), dropped.detach(), 1e-6);
        double seen = wholeValues.ToArray().Count(weight => weight != 0);
        var kept = factorValues.Count(factor => factor != 0) / seen;
        Assert.InRange(Math.Abs(kept - (1 - rate)), 0, 4 * Math.Sqrt(rate * (1 - rate) / seen));

        dropped.mul(directions).sum().backward();
        var gradient = qk.grad!;
        qk.grad = null;
        whole.mul(factors).mul(directions).sum().backward();
        AssertClose(qk.grad!, gradient, 2e-6);
        AssertClose(dropped.detach(), Weights(Attention.Apply, rate).detach(), 0);
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
        Assert.True(areFinite[0]);
    }

    [Fact]
    public void Gelu_equals_its_composition()
    {
        using var scope = NewDisposeScope();
        var x = Random(3, 50, 40).mul(3).requires_grad_();
        Compare(() => ActivationFunction.Named("gelu_new").Of(x), () => ComposedGeluTanh(x), x);
    }

    /// <summary>Names of activations; whether there is a gate, whether the weight is stored [inputs, outputs].</summary>
    public static TheoryData<string, bool, bool> ActivatedLayers
    {
        get
        {
            var data = new TheoryData<string, bool, bool>();
            foreach (var name in ActivationFunction.Names.Where(name => ActivationFunction.Named(name).Kernel is not null))
                foreach (var (isGated, isTransposed) in new[] { (false, false), (false, true), (true, false), (true, true) })
                    data.Add(name, isGated, isTransposed);
            return data;
        }
    }

    [Theory, MemberData(nameof(ActivatedLayers))]
    public void A_layer_behind_an_activation_equals_its_composition(string name, bool isGated, bool isTransposed)
    {
        using var scope = NewDisposeScope();
        var activation = ActivationFunction.Named(name);
        using MatrixLayer layer = isTransposed ? new Conv1D(40, 30) : new Linear(40, 30, hasBias: !isGated);
        var parameters = DrawParameters(layer);
        // The halves of one projection, as some architectures have them.
        var halves = Random(3, 50, 80).mul(2).requires_grad_();
        var (x, up) = (halves.narrow(1, 0, 40), isGated ? halves.narrow(1, 40, 40) : null);
        Compare(() => layer.After(activation, x, up), Composition, [halves, .. parameters]);

        // Neither frozen weights nor an input without gradient change what the others get.
        foreach (var parameter in parameters)
        {
            // In the parameter's own layout, or every step would copy it.
            Assert.True(parameter.grad!.is_contiguous());
            parameter.grad = null;
            parameter.requires_grad = false;
        }
        Compare(() => layer.After(activation, x, up), Composition, halves);
        Assert.All(parameters, parameter => Assert.Null(parameter.grad));
        foreach (var parameter in parameters)
            parameter.requires_grad = true;
        halves = halves.detach();
        (x, up) = (halves.narrow(1, 0, 40), isGated ? halves.narrow(1, 40, 40) : null);
        Compare(() => layer.After(activation, x, up), Composition, parameters);

        Tensor Composition() => Compose(layer, activation, x, up);
    }

    [Theory, MemberData(nameof(ActivatedLayers))]
    public void In_bfloat16_too_a_layer_behind_an_activation_equals_its_composition(string name, bool isGated, bool isTransposed)
    {
        using var scope = NewDisposeScope();
        var activation = ActivationFunction.Named(name);
        using MatrixLayer layer = isTransposed ? new Conv1D(40, 30) : new Linear(40, 30, hasBias: !isGated);
        layer.Precision = Precision.Bfloat16;
        var parameters = DrawParameters(layer);
        var halves = Random(3, 50, 80).mul(2).requires_grad_();
        var (x, up) = (halves.narrow(1, 0, 40), isGated ? halves.narrow(1, 40, 40) : null);
        // A number beside the middle of two of bfloat16's may become the one or the other, before the product and behind it: two units of
        // 2^-7.
        Compare(
            () => layer.After(activation, x, up), () => Compose(layer, activation, x, up), tolerance: Math.Pow(2, -6),
            [halves, .. parameters]);
    }

    private static Parameter[] DrawParameters(MatrixLayer layer)
    {
        var parameters = layer.parameters().ToArray();
        using (no_grad())
            foreach (var (i, parameter) in parameters.Index())
                parameter.copy_(Random(10 + i, parameter.shape).mul(0.1));
        return parameters;
    }

    /// <summary>
    /// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel, arXiv 1606.08415), written as x sigmoid(2 u) because
    /// 0.5 (1 + tanh(u)) = sigmoid(2 u).
    /// </summary>
    private static Tensor ComposedGeluTanh(Tensor x)
    {
        var twiceRoot = 2 * Math.Sqrt(2 / Math.PI);
        return x.mul(x).mul(twiceRoot * 0.044715).add(twiceRoot).mul(x).sigmoid().mul(x);
    }

    // libtorch's own gradient of the GELU of tanh takes differences of nearly equal numbers where x is well below 0.
    private static Tensor Compose(MatrixLayer layer, ActivationFunction activation, Tensor x, Tensor? up)
    {
        var activated = activation.Kernel == KernelActivation.GeluTanh ? ComposedGeluTanh(x) : activation.Of(x);
        return layer.call(up is null ? activated : activated.mul(up));
    }

    [Theory]
    [InlineData("gelu_new")]
    [InlineData("silu")]
    [InlineData("gelu")]
    public void A_layer_behind_an_activation_takes_tensors_of_every_form(string name)
    {
        using var scope = NewDisposeScope();
        var activation = ActivationFunction.Named(name);
        using var layer = new Linear(6, 5, hasBias: true);
        DrawParameters(layer);
        var x = Random(3, 4, 6).requires_grad_();
        // The same tensor twice; turned; no rows.
        Compare(() => layer.After(activation, x, x), () => Compose(layer, activation, x, x), x);
        var turned = Random(3, 6, 4).requires_grad_();
        Compare(() => layer.After(activation, turned.t(), turned.t()), () => Compose(layer, activation, turned.t(), turned.t()), turned);
        var none = empty(0, 6).requires_grad_();
        Compare(() => layer.After(activation, none), () => Compose(layer, activation, none, null), none);
    }

    [Theory]
    [InlineData("gelu_new")]
    [InlineData("silu")]
    public void What_is_far_from_0_comes_out_as_from_libtorch(string name)
    {
        using var scope = NewDisposeScope();
        var activation = ActivationFunction.Named(name);
        using var layer = new Linear(1, 1, hasBias: false);
        using (no_grad())
            layer.weight.fill_(1);
        float[] values = [-1e18f, -1e13f, -1e5f, -300, -88, -20, 0, 20, 88, 300, 1e5f, 1e13f, float.PositiveInfinity, float.NaN];
        var x = tensor(values).view(-1, 1).requires_grad_();
        var result = layer.After(activation, x);
        using var found = result.detach().data<float>();
        using var expected = activation.Of(x).detach().data<float>();
        foreach (var (value, (before, after)) in values.Zip(expected.ToArray().Zip(found.ToArray())))
            Assert.True(
                before.Equals(after) || Math.Abs(before - after) <= 1e-6 * Math.Abs(before) + 1e-7,
                $"{name} of {value} is {after}, expected {before}");
        // Of all but the last two: 0 far below, 1 far above.
        result.narrow(0, 0, values.Length - 2).sum().backward();
        using var gradient = x.grad!.data<float>();
        float[] slopes = [.. gradient.ToArray().Take(values.Length - 2)];
        Assert.All(slopes[..5], slope => Assert.InRange(slope, -1e-30f, 1e-30f));
        Assert.All(slopes[8..], slope => Assert.Equal(1, slope));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_rms_norm_equals_its_composition(double offset)
    {
        using var scope = NewDisposeScope();
        var x = Random(4, 70, 3, 24).mul(2).requires_grad_();
        var weight = Random(5, 24).requires_grad_();
        Compare(() => RmsNorm.Apply(x, weight, 1e-3, offset), () => RmsNorm.Compose(x, weight, 1e-3, offset), x, weight);
        Compare(
            () => RmsNorm.Apply(x.transpose(0, 1), weight, 1e-3, offset),
            () => RmsNorm.Compose(x.transpose(0, 1), weight, 1e-3, offset), x, weight);
        // What a GPU has in the kernel's place.
        Compare(() => RmsNorm.Fused(x, weight, 1e-3, offset), () => RmsNorm.Compose(x, weight, 1e-3, offset), x, weight);
    }

    /// <summary>Rows and their width: of both sides of the size from which large tensors have kernels of their own.</summary>
    public static TheoryData<int, int> LargeSizes => new() { { 50, 40 }, { 1100, 250 } };

    [Theory, MemberData(nameof(LargeSizes))]
    public void A_layer_norm_equals_libtorchs(int rows, int width)
    {
        using var scope = NewDisposeScope();
        foreach (var (hasWeight, hasBias) in new[] { (true, true), (true, false), (false, false) })
        {
            using var norm = new LayerNorm(width, 1e-5, hasBias, hasWeight);
            var parameters = norm.parameters().ToArray();
            using (no_grad())
                foreach (var parameter in parameters)
                    parameter.copy_(Random(5, width));
            var x = Random(4, rows, width).mul(2).add(1).requires_grad_();
            Tensor Plain() => nn.functional.layer_norm(x, [width], norm.weight!, norm.bias!, 1e-5);
            // A weight's gradient is the sum of a thousand products, which reaches fifty on its way: the root of a thousand half units of that.
            Compare(() => norm.call(x), Plain, tolerance: 1e-4, [x, .. parameters]);
            Compare(() => Joined(norm.Fork(x)), () => Plain().sin().add(x.mul(3)), tolerance: 1e-4, [x, .. parameters]);
        }
    }

    [Theory, MemberData(nameof(LargeSizes))]
    public void An_rms_norm_that_forks_adds_both_gradients(int rows, int width)
    {
        using var scope = NewDisposeScope();
        using var norm = new RmsNorm(width, 1e-5);
        using (no_grad())
            norm.weight.copy_(Random(5, width));
        var x = Random(4, rows, width).mul(2).requires_grad_();
        Compare(
            () => Joined(norm.Fork(x)), () => RmsNorm.Compose(x, norm.weight, 1e-5, 0).sin().add(x.mul(3)), tolerance: 2e-5, x, norm.weight);
        // One branch alone.
        Compare(() => norm.Fork(x).Residual.mul(3), () => x.mul(3), x);
    }

    private static Tensor Joined(Fork fork) => fork.Normed.sin().add(fork.Residual.mul(3));

    [Theory, MemberData(nameof(LargeSizes))]
    public void A_linear_layer_equals_libtorchs(int rows, int width)
    {
        using var scope = NewDisposeScope();
        foreach (MatrixLayer layer in new MatrixLayer[] { new Linear(width, 300, hasBias: true), new Linear(width, 300, false), new Conv1D(width, 300) })
        {
            using var owned = layer;
            var parameters = DrawParameters(layer);
            // Part of wider rows, as well.
            var wide = Random(3, rows, width + 7).requires_grad_();
            Tensor X() => wide.narrow(1, 3, width);
            Compare(
                () => layer.call(X()),
                () => nn.functional.linear(
                    X(), layer is Conv1D ? parameters[0].t() : parameters[0], parameters.Length > 1 ? parameters[1] : null!),
                tolerance: 2e-5, [wide, .. parameters]);
            Assert.All(parameters, parameter => Assert.True(parameter.grad!.is_contiguous()));
        }
    }

    [Theory, MemberData(nameof(LargeSizes))]
    public void In_bfloat16_too_a_linear_layer_equals_libtorchs_and_is_float32_where_the_processor_has_no_instructions(int rows, int width)
    {
        using var scope = NewDisposeScope();
        foreach (MatrixLayer layer in new MatrixLayer[] { new Linear(width, 300, hasBias: true), new Conv1D(width, 300) })
        {
            using var owned = layer;
            var parameters = DrawParameters(layer);
            var x = Random(3, rows, width).requires_grad_();
            var plain = layer.call(x).detach();
            layer.Precision = Precision.Bfloat16;
            if (!Bfloat16Support.IsOnProcessor)
            {
                AssertClose(plain, layer.call(x).detach(), 0);
                continue;
            }
            var weight = layer is Conv1D ? parameters[0].t() : parameters[0];
            // Gradients of weights are sums over the rows, of up to a hundred: two units of their size.
            Compare(
                () => layer.call(x),
                () => nn.functional.linear(x.to(bfloat16), weight.to(bfloat16)).to(float32).add(parameters[1]),
                tolerance: Math.Pow(2, -6), [x, .. parameters]);
            Assert.All(parameters, parameter => Assert.True(parameter.grad!.is_contiguous()));
        }
    }

    [Theory, MemberData(nameof(LargeSizes))]
    public void Sums_and_looked_up_rows_equal_libtorchs(int rows, int width)
    {
        using var scope = NewDisposeScope();
        Tensor left = Random(3, rows, width).requires_grad_(), right = Random(4, rows, width).requires_grad_();
        Compare(() => Residual.Add(left, right), () => left.add(right), left, right);
        Compare(() => Residual.Add(left, left), () => left.add(left), left);
        using var table = new Embedding(rows, width);
        using (no_grad())
            table.weight.copy_(Random(5, rows, width));
        // Some rows twice, some never.
        var ids = arange(0, 3 * rows, 2).remainder(rows);
        Compare(() => table.call(ids), () => table.weight.index_select(0, ids), table.weight);
    }

    [Fact]
    public void Attention_of_queries_keys_and_values_in_one_tensor_equals_that_of_three()
    {
        using var scope = NewDisposeScope();
        using var sequences = PackedSequences.Pack(lists);
        var qkv = Random(1, sequences.TokenCount, 3, 4, 16).requires_grad_();
        foreach (var scoredOnly in new[] { false, true })
        {
            var rows = new QueryRows(sequences, scoredOnly);
            var options = new AttentionOptions(0.25);
            Compare(
                () => Attention.Apply(qkv, rows, options),
                () => Attention.Compose(rows.Of(qkv.unbind(1)[0]), qkv.unbind(1)[1], qkv.unbind(1)[2], rows, options), qkv);
        }
    }

    [Theory]
    [InlineData(8, RotaryPairs.Halves)]
    [InlineData(6, RotaryPairs.Halves)]
    [InlineData(8, RotaryPairs.Neighbours)]
    [InlineData(6, RotaryPairs.Neighbours)]
    internal void Rotary_positions_equal_their_composition(int rotated, RotaryPairs pairs)
    {
        using var scope = NewDisposeScope();
        var qkv = Random(6, 70, 9, 8).requires_grad_();
        var angles = (Random(7, 70, 1, rotated / 2), Random(8, 70, 1, rotated / 2));
        Compare(
            () => RotaryEmbedding.Rotate(qkv.narrow(1, 3, 4), angles, pairs),
            () => RotaryEmbedding.Compose(qkv.narrow(1, 3, 4), angles, pairs), qkv);
        // What other devices compute, there and back.
        using var _ = no_grad();
        foreach (var sign in new[] { 1, -1 })
            AssertClose(
                RotaryEmbedding.Compose(qkv.narrow(1, 3, 4), (angles.Item1, angles.Item2.mul(sign)), pairs),
                RotaryKernel.ByOperators(pairs, qkv.narrow(1, 3, 4), angles.Item1, angles.Item2, sign), 5e-6);
    }

    /// <summary>Results, and the gradients of a random direction of them.</summary>
    private static void Compare(Func<Tensor> kernel, Func<Tensor> composition, params Tensor[] inputs) =>
        Compare(kernel, composition, tolerance: 5e-6, inputs);

    private static void Compare(Func<Tensor> kernel, Func<Tensor> composition, double tolerance, params Tensor[] inputs)
    {
        var expected = Run(composition);
        var found = Run(kernel);
        Assert.Equal(expected.Select(tensor => tensor.shape), found.Select(tensor => tensor.shape));
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i].numel() == 0)
                continue;
            using var expectedValues = expected[i].data<float>();
            using var foundValues = found[i].contiguous().data<float>();
            Assert.All(
                expectedValues.ToArray().Zip(foundValues.ToArray()),
                pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, tolerance * (1 + Math.Abs(pair.First))));
        }

        Tensor[] Run(Func<Tensor> compute)
        {
            foreach (var input in inputs)
                input.grad = null;
            var result = compute();
            result.mul(Random(9, result.shape)).sum().backward();
            return [result.detach().contiguous(), .. inputs.Select(input => input.grad!)];
        }
    }

    private static Tensor Random(long seed, params long[] shape)
    {
        using var generator = manual_seed(seed);
        return nn.init.normal_(empty(shape), generator: generator);
    }

    /// <summary>
    /// Units in the last place of the largest number: what sums of hundreds of products, in another order, differ by at most. Rounding
    /// errors of half a unit each add up as a random walk does, by the root of their count.
    /// </summary>
    private static double UnitsOfLargest(Tensor expected, int units) => units * Math.Pow(2, -23) * expected.abs().max().item<float>();

    private static void AssertClose(Tensor expected, Tensor found, double tolerance)
    {
        Assert.Equal(expected.shape, found.shape);
        using var expectedValues = expected.contiguous().data<float>();
        using var foundValues = found.contiguous().data<float>();
        Assert.InRange(Numbers.LargestDifference(expectedValues.ToArray(), foundValues.ToArray()), 0, tolerance);
    }
}
