using RewardModel.Kernels;
using RewardModel.Training.Data;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests.Training.Optimization;

public class AdamW8BitTests
{
    private static readonly AdamWOptions options = new() { WeightDecay = 0.1 };

    // Whole blocks, and a last one that is short.
    [Theory]
    [InlineData(4096)]
    [InlineData(4096 + 17)]
    [InlineData(70_000)]
    public void The_moments_are_within_half_a_gap_of_the_map(int length)
    {
        using var scope = NewDisposeScope();
        var gradient = Draw(length, seed: 1);
        var parameter = new Parameter(zeros(length)) { grad = tensor(gradient) };
        using var optimizer = new AdamW8Bit([("w", parameter)], options);
        optimizer.Step(1e-3);
        var first = Decoded(optimizer, "exp_avg", DynamicMap.Signed, length);
        var second = Decoded(optimizer, "exp_avg_sq", DynamicMap.Unsigned, length);
        for (var i = 0; i < length; i++)
        {
            var block = gradient.Skip(i / 256 * 256).Take(256).ToArray();
            var largest = block.Max(MathF.Abs);
            AssertNearest(0.1 * gradient[i], 0.1 * largest, first[i], DynamicMap.Signed);
            if (second[i] > DynamicMap.Unsigned.Values[1] * 1.001e-3 * largest * largest)
                AssertNearest(1e-3 * gradient[i] * gradient[i], 1e-3 * largest * largest, second[i], DynamicMap.Unsigned);
        }
    }

    [Fact]
    public void The_first_step_is_AdamWs()
    {
        // Its moments are not yet rounded when the weights take them.
        var gradient = Draw(5000, seed: 2);
        using var scope = NewDisposeScope();
        var expected = new Parameter(ones(50, 100)) { grad = tensor(gradient).view(50, 100) };
        var found = new Parameter(ones(50, 100)) { grad = tensor(gradient).view(50, 100) };
        using var adamW = new AdamW([("w", expected)], options);
        using var optimizer = new AdamW8Bit([("w", found)], options);
        adamW.Step(0.01, 0.5);
        optimizer.Step(0.01, 0.5);
        Assert.Equal(expected.bytes.ToArray(), found.bytes.ToArray());
    }

    [Fact]
    public void Steps_stay_near_those_of_AdamW()
    {
        // Gradients of one sign and size, as where a loss falls steadily.
        using var scope = NewDisposeScope();
        var expected = new Parameter(zeros(64, 128));
        var found = new Parameter(zeros(64, 128));
        using var adamW = new AdamW([("w", expected)], options);
        using var optimizer = new AdamW8Bit([("w", found)], options);
        for (var step = 0; step < 30; step++)
        {
            var gradient = tensor(Draw(64 * 128, (ulong)step)).view(64, 128).mul(0.2).add(1);
            (expected.grad, found.grad) = (gradient.clone(), gradient.clone());
            adamW.Step(0.01);
            optimizer.Step(0.01);
        }
        var distance = expected.sub(found).abs();
        var moved = expected.abs().mean().item<float>();
        Assert.InRange(distance.max().item<float>() / moved, 0, 0.05);
        Assert.InRange(distance.mean().item<float>() / moved, 0, 0.01);
    }

    [Fact]
    public void Operators_take_the_steps_of_the_kernel()
    {
        using var scope = NewDisposeScope();
        (float[] Weights, int[] Codes, float[] Largest) After(IArithmetic<QuantizedSlot, AdamWRule>? arithmetic)
        {
            // Larger than what operators take at a time would need gigabytes; two parameters, one of which has no gradient.
            var parameter = new Parameter(tensor(Draw(4096 + 100, seed: 3)));
            using var optimizer = new AdamW8Bit(
                [("w", parameter), ("untouched", new Parameter(zeros(80, 80)))], options, arithmetic: arithmetic);
            for (var step = 0; step < 3; step++)
            {
                parameter.grad = tensor(Draw(4096 + 100, (ulong)step + 4));
                optimizer.Step(1e-3, gradientScale: 0.5);
            }
            var state = optimizer.State().ToDictionary(pair => pair.Name, pair => pair.Tensor);
            return (
                Floats(parameter),
                [.. state["exp_avg.w"].bytes.ToArray().Concat(state["exp_avg_sq.w"].bytes.ToArray()).Select(code => (int)code)],
                [.. Floats(state["exp_avg_absmax.w"]), .. Floats(state["exp_avg_sq_absmax.w"])]);
        }
        var (expected, found) = (After(null), After(new TensorAdamW8Bit()));
        Numbers.AssertEqualButForRounding(expected.Largest, found.Largest, units: 8);
        // Rounding may take a number to the other side of a middle: then its code is the neighbour, and its next step a little different.
        var differences = expected.Codes.Zip(found.Codes).Select(codes => Math.Abs(codes.First - codes.Second)).ToArray();
        Assert.InRange(differences.Max(), 0, 1);
        Assert.InRange(differences.Count(difference => difference > 0), 0, differences.Length / 1000);
        Assert.InRange(Numbers.LargestDifference(expected.Weights, found.Weights), 0, 1e-4);
        Assert.InRange(
            expected.Weights.Zip(found.Weights).Count(pair => Math.Abs(pair.First - pair.Second) > 1e-6), 0, expected.Weights.Length / 1000);
    }

    /// <summary>A weight beside one with far larger gradients, whose own then ends: its second moment is far below the map's least number.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_gradient_that_ends_beside_larger_ones_moves_no_weight_far(bool byOperators)
    {
        using var scope = NewDisposeScope();
        var parameter = new Parameter(zeros(4096));
        using var optimizer = new AdamW8Bit(
            [("w", parameter)], new AdamWOptions { WeightDecay = 0 }, arithmetic: byOperators ? new TensorAdamW8Bit() : null);
        for (var step = 0; step < 20; step++)
        {
            var gradient = zeros(4096);
            gradient[0] = 1;
            if (step == 0)
                gradient[1] = 1e-4f;
            parameter.grad = gradient;
            optimizer.Step(0.01);
        }
        // AdamW goes 0.01 in the first step, and then less and less far.
        Assert.InRange(Math.Abs(parameter[1].item<float>()), 0, 0.1);
        Assert.InRange(-parameter[0].item<float>(), 0.19, 0.21);
        Assert.Equal(0, parameter[2].item<float>());
    }

    [Fact]
    public void Gradients_of_0_and_of_the_smallest_numbers_are_finite()
    {
        using var scope = NewDisposeScope();
        foreach (var arithmetic in new IArithmetic<QuantizedSlot, AdamWRule>[] { new VectorAdamW8Bit(), new TensorAdamW8Bit() })
            foreach (var size in new[] { 0, 1e-45f, 1e-30f, 1e-20f, 1e19f })
            {
                var parameter = new Parameter(ones(4096)) { grad = full(4096, size) };
                using var optimizer = new AdamW8Bit([("w", parameter)], options, arithmetic: arithmetic);
                for (var step = 0; step < 3; step++)
                    optimizer.Step(0.01);
                Assert.True(parameter.isfinite().all().item<bool>());
                Assert.InRange(parameter.min().item<float>(), 0.96f, 1);
            }
    }

    [Fact]
    public void Only_parameters_of_4096_elements_and_more_have_8_bits()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new AdamW8Bit([("large", new Parameter(zeros(64, 65))), ("small", new Parameter(zeros(63, 65)))], options);
        Assert.Equal(
            [
                "exp_avg.small Float32 63x65", "exp_avg_sq.small Float32 63x65", "exp_avg.large Byte 17x256",
                "exp_avg_absmax.large Float32 17", "exp_avg_sq.large Byte 17x256", "exp_avg_sq_absmax.large Float32 17",
            ],
            optimizer.State().Select(pair => $"{pair.Name} {pair.Tensor.dtype} {string.Join('x', pair.Tensor.shape)}"));
    }

    // The larger of the gaps beside the part: where a decade ends, that above.
    private static void AssertNearest(double exact, double largest, float found, DynamicMap map)
    {
        var share = Math.Abs(exact) / largest;
        var values = map.Values.ToArray();
        var next = Math.Clamp(Array.FindIndex(values, value => value > share), 1, 254);
        var gap = Math.Max(values[next] - values[next - 1], values[next + 1] - values[next]);
        Assert.InRange(Math.Abs(found - exact) / largest, 0, gap * 0.51);
    }

    private static float[] Decoded(AdamW8Bit optimizer, string moment, DynamicMap map, int length)
    {
        var state = optimizer.State().ToDictionary(pair => pair.Name, pair => pair.Tensor);
        var (codes, largest) = (state[$"{moment}.w"].bytes.ToArray(), Floats(state[$"{moment}_absmax.w"]));
        return [.. codes.Take(length).Select((code, i) => map.Values[code] * largest[i / 256])];
    }

    /// <summary>Numbers from 1e-4 to 1 of both signs.</summary>
    private static float[] Draw(int length, ulong seed)
    {
        var random = new SplitMix64(seed);
        return
        [
            .. Enumerable.Range(0, length).Select(_ =>
                (random.NextBelow(2) == 0 ? -1 : 1) * (float)Math.Pow(10, -random.NextBelow(4001) / 1000.0)),
        ];
    }

    private static float[] Floats(Tensor tensor)
    {
        using var accessor = tensor.detach().contiguous().data<float>();
        return accessor.ToArray();
    }
}
