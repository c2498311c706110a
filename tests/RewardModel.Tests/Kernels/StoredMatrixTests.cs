using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

/// <summary>Matrices in fewer bits than float32: what they lose, and that products with them are those with what is left.</summary>
[Collection(nameof(RunsAlone))]
public class StoredMatrixTests
{
    public static TheoryData<WeightStorage> Storages => [WeightStorage.Bfloat16, WeightStorage.Int8, WeightStorage.Nf4];

    public static TheoryData<WeightStorage, long, long> Shapes
    {
        get
        {
            var data = new TheoryData<WeightStorage, long, long>();
            foreach (var storage in new[] { WeightStorage.Int8, WeightStorage.Nf4 })
                foreach (var (rows, columns) in new[] { (1L, 1L), (7, 33), (3, 64), (300, 700) })
                    data.Add(storage, rows, columns);
            return data;
        }
    }

    // Appendix E of arXiv 2305.14314.
    [Fact]
    public void The_levels_of_nf4_are_those_of_the_paper()
    {
        float[] published =
        [
            -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
            -0.09105003625154495f, 0, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
            0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1,
        ];
        Assert.Equal(published, BlockCodes.Levels);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Decoding_equals_its_composition(WeightStorage storage, long rows, long columns)
    {
        using var scope = NewDisposeScope();
        var (codes, scales) = BlockCodes.Encode(Random(1, rows, columns), storage);
        Assert.Equal((BlockCodes.CountOf(rows * columns), 2), (codes.size(0), codes.dim()));
        Assert.Equal(
            Values(BlockCodes.ComposeDecode(codes, scales, storage, [rows, columns])),
            Values(BlockCodes.Decode(codes, scales, storage, [rows, columns])));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Every_number_becomes_the_nearest_that_its_block_has(WeightStorage storage, long rows, long columns)
    {
        using var scope = NewDisposeScope();
        float[] values = Values(Random(2, rows, columns)), found = Values(Stored(values, storage));
        foreach (var (block, decoded) in values.Chunk(64).Zip(found.Chunk(64)))
        {
            var largest = block.Max(Math.Abs);
            var scale = InBfloat16(storage == WeightStorage.Int8 ? largest / 127 : largest);
            float[] choices = storage == WeightStorage.Int8
                ? [.. Enumerable.Range(-127, 255).Select(code => code * scale)]
                : [.. BlockCodes.Levels.Select(level => level * scale)];
            foreach (var (value, result) in block.Zip(decoded))
            {
                Assert.Contains(result, choices);
                // But for the rounding of a division where two are equally near.
                Assert.InRange(Math.Abs(value - result), 0, choices.Min(choice => Math.Abs(value - choice)) + 1e-6f * largest);
            }
        }
    }

    // The root of the mean squared error, relative to that of the numbers, of normally distributed weights; docs/frozen-weights.md has these.
    [Theory]
    [InlineData(WeightStorage.Bfloat16, 0.0015, 0.0018)]
    [InlineData(WeightStorage.Int8, 0.0050, 0.0060)]
    [InlineData(WeightStorage.Nf4, 0.088, 0.096)]
    public void What_is_lost_of_normal_weights_is_what_the_documentation_says(WeightStorage storage, double least, double most)
    {
        using var scope = NewDisposeScope();
        var values = Random(3, 512, 1024).mul(0.02);
        using var stored = StoredMatrix.Of(values, storage);
        Assert.InRange(stored.Values().sub(values).norm().item<float>() / values.norm().item<float>(), least, most);
    }

    [Fact]
    public void Numbers_of_16_bits_stay_as_they_are_in_16()
    {
        using var scope = NewDisposeScope();
        var values = Random(4, 70, 50).to(bfloat16);
        using var stored = StoredMatrix.Of(values, WeightStorage.Bfloat16);
        Assert.Equal(Values(values.to(float32)), Values(stored.Values()));
    }

    [Theory, MemberData(nameof(Storages))]
    public void Zeros_stay_zeros_and_what_is_no_number_does_not_become_one(WeightStorage storage)
    {
        using var scope = NewDisposeScope();
        Assert.All(Values(Stored(new float[200], storage)), value => Assert.Equal(0, value));
        foreach (var wrong in new[] { float.NaN, float.PositiveInfinity })
        {
            var values = new float[200];
            values[70] = wrong;
            Assert.False(float.IsFinite(Values(Stored(values, storage))[70]));
        }
    }

    [Theory, MemberData(nameof(Storages))]
    public void The_same_bits_on_any_number_of_threads(WeightStorage storage)
    {
        using var scope = NewDisposeScope();
        var values = Random(5, 900, 333);
        var threads = get_num_threads();
        var results = new[] { 1, 2 }.Select(count =>
        {
            set_num_threads(count);
            using var stored = StoredMatrix.Of(values, storage);
            return Values(stored.Values());
        }).ToArray();
        set_num_threads(threads);
        Assert.Equal(results[0], results[1]);
    }

    [Theory]
    [InlineData(WeightStorage.Float32, 6400, 25600)]
    [InlineData(WeightStorage.Bfloat16, 6400, 12800)]
    [InlineData(WeightStorage.Int8, 6400, 6600)]
    [InlineData(WeightStorage.Nf4, 6400, 3400)]
    [InlineData(WeightStorage.Nf4, 6401, 3434)]
    public void It_takes_the_bytes_that_are_said(WeightStorage storage, long count, long bytes)
    {
        Assert.Equal(bytes, StoredMatrix.BytesOf(count, storage));
        if (storage is not (WeightStorage.Int8 or WeightStorage.Nf4))
            return;
        using var scope = NewDisposeScope();
        var (codes, scales) = BlockCodes.Encode(zeros(count), storage);
        Assert.Equal(bytes, codes.numel() * codes.element_size() + scales.numel() * scales.element_size());
    }

    public static TheoryData<WeightStorage, bool, bool> Products
    {
        get
        {
            var data = new TheoryData<WeightStorage, bool, bool>();
            foreach (var storage in new[] { WeightStorage.Bfloat16, WeightStorage.Int8, WeightStorage.Nf4 })
                foreach (var hasInputsFirst in new[] { false, true })
                    foreach (var hasBias in new[] { false, true })
                        data.Add(storage, hasInputsFirst, hasBias);
            return data;
        }
    }

    [Theory, MemberData(nameof(Products))]
    public void A_product_and_its_gradient_are_those_with_the_decoded_matrix(WeightStorage storage, bool hasInputsFirst, bool hasBias)
    {
        foreach (var (rows, inputs, outputs) in new[] { (3L, 40L, 24L), (600, 130, 700) })
        {
            using var scope = NewDisposeScope();
            using var stored = StoredMatrix.Of(hasInputsFirst ? Random(6, inputs, outputs) : Random(6, outputs, inputs), storage, hasInputsFirst);
            var weight_IO = hasInputsFirst ? stored.Values() : stored.Values().t();
            var x = Random(7, rows, inputs).requires_grad_();
            var bias = hasBias ? Random(8, outputs).requires_grad_() : null;
            var direction = Random(9, rows, outputs);
            var expected = Run(x, bias, () => LinearKernel.Apply(new LinearSettings(Precision.Float32), x, weight_IO, bias).mul(direction));
            var found = Run(x, bias, () => LinearKernel.Apply(new LinearSettings(Precision.Float32, stored), x, null, bias).mul(direction));
            Assert.Equal(expected, found);
            foreach (var activation in Enum.GetValues<KernelActivation>())
            {
                var up = Random(10, rows, inputs);
                var settings = new ActivatedLinearSettings(activation, Precision.Float32);
                Assert.Equal(
                    Run(x, bias, () => ActivatedLinearKernel.Apply(settings, x, up, weight_IO, bias).mul(direction)),
                    Run(x, bias, () => ActivatedLinearKernel.Apply(settings with { Stored = stored }, x, up, null, bias).mul(direction)));
            }
        }
    }

    [Fact]
    public void A_product_in_16_bits_takes_a_matrix_of_16_bits_as_it_is()
    {
        using var scope = NewDisposeScope();
        using var stored = StoredMatrix.Of(Random(6, 48, 32), WeightStorage.Bfloat16);
        Assert.Equal(ScalarType.BFloat16, stored.Factor(Precision.Bfloat16).dtype);
        var x = Random(7, 20, 32).requires_grad_();
        Assert.Equal(
            Run(x, null, () => LinearKernel.Apply(new LinearSettings(Precision.Bfloat16), x, stored.Values().t(), null)),
            Run(x, null, () => LinearKernel.Apply(new LinearSettings(Precision.Bfloat16, stored), x, null, null)));
    }

    [Fact]
    public void Products_leave_no_tensor_behind()
    {
        using var scope = NewDisposeScope();
        using var stored = StoredMatrix.Of(Random(6, 300, 500), WeightStorage.Nf4);
        var x = Random(7, 20, 500).requires_grad_();
        long Count()
        {
            using var inner = NewDisposeScope();
            using (var sum = LinearKernel.Apply(new LinearSettings(Precision.Float32, stored), x, null, null).sum())
                sum.backward();
            KernelErrors.Throw();
            return Tensor.TotalCount;
        }

        var first = Count();
        Assert.Equal(first, Count());
    }

    private static float[][] Run(Tensor x, Tensor? bias, Func<Tensor> product)
    {
        x.grad = null;
        if (bias is not null)
            bias.grad = null;
        var result = product();
        result.sum().backward();
        KernelErrors.Throw();
        return [Values(result.detach()), Values(x.grad!), bias is null ? [] : Values(bias.grad!)];
    }

    private static Tensor Stored(float[] values, WeightStorage storage)
    {
        using var stored = StoredMatrix.Of(tensor(values).unsqueeze(0), storage);
        return stored.Values();
    }

    private static float InBfloat16(float value)
    {
        using var whole = tensor(value);
        using var rounded = whole.to(bfloat16);
        using var back = rounded.to(float32);
        return back.item<float>();
    }

    private static Tensor Random(long seed, params long[] shape)
    {
        using var generator = manual_seed(seed);
        return nn.init.normal_(empty(shape), generator: generator);
    }

    private static float[] Values(Tensor tensor)
    {
        using var values = tensor.contiguous().data<float>();
        return values.ToArray();
    }
}
