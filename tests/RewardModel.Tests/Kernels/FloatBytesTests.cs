using System.Runtime.InteropServices;
using RewardModel.Checkpoints;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

public class FloatBytesTests
{
    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void Numbers_are_those_of_libtorch(ScalarType type)
    {
        using var scope = NewDisposeScope();
        // Every length up to more than a vector, and all sixteen bits of some; -0, subnormal numbers and the largest ones too.
        foreach (var count in Enumerable.Range(0, 70).Append(65536))
        {
            var bits = Enumerable.Range(0, count).Select(i => (uint)(i * 2654435761) & 0xFF7FFFFF).ToArray();
            var numbers = tensor(MemoryMarshal.Cast<uint, float>(bits).ToArray()).to(type);
            numbers = numbers.where(numbers.isfinite(), zeros_like(numbers));
            var results = new float[count];
            Assert.True(FloatBytes.ToSingles(type, numbers.bytes, results));
            using var expected = numbers.to(float32).data<float>();
            Assert.Equal(expected.ToArray().Select(BitConverter.SingleToUInt32Bits), results.Select(BitConverter.SingleToUInt32Bits));
        }
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void A_number_that_is_not_finite_is_found_wherever_it_is(ScalarType type)
    {
        using var scope = NewDisposeScope();
        foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            for (var place = 0; place < 37; place++)
            {
                var numbers = zeros(37, type);
                numbers[place] = value;
                Assert.False(FloatBytes.ToSingles(type, numbers.bytes, new float[37]));
            }
        Assert.True(FloatBytes.ToSingles(type, full([37], type == ScalarType.Float32 ? float.MaxValue : 3e38f, type).bytes, new float[37]));
    }

    [Theory]
    [InlineData(SafetensorsType.BF16)]
    [InlineData(SafetensorsType.F32)]
    internal void A_tensor_of_several_parts_is_read_whole(SafetensorsType type)
    {
        using var scope = NewDisposeScope();
        using var directory = new TemporaryDirectory();
        var values = randn(3, 200_003).to(TensorBytes.ToScalarType(type));
        CheckpointWriter.Write(directory.Path, [("first", ones(5)), ("x", values)]);
        using var reader = CheckpointReader.Open(directory.Path);
        var target = zeros(values.shape);
        Assert.True(reader.CanReadSingles("x", target));
        Assert.True(reader.ReadSingles("x", target));
        Assert.True(target.equal(values.to(float32)).all().item<bool>());

        values[2, 200_002] = float.NaN;
        CheckpointWriter.Write(directory.Path, [("first", ones(5)), ("x", values)]);
        using var damaged = CheckpointReader.Open(directory.Path);
        Assert.False(damaged.ReadSingles("x", target));
        Assert.False(damaged.CanReadSingles("x", target.t()));
    }
}
