using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ScalarTests
{
    [Fact]
    public void The_type_is_that_of_the_number()
    {
        (Scalar Scalar, ScalarType Type)[] scalars =
        [
            (true, ScalarType.Bool), ((byte)1, ScalarType.Byte), ((sbyte)1, ScalarType.Int8), ((short)1, ScalarType.Int16),
            (1, ScalarType.Int32), (1L, ScalarType.Int64), (1f, ScalarType.Float32), (1d, ScalarType.Float64),
        ];
        foreach (var (scalar, type) in scalars)
        {
            Assert.Equal(type, scalar.Type);
            AreEqual([1], full(1, scalar));
        }
    }

    [Fact]
    public void A_disposed_scalar_keeps_its_value()
    {
        Scalar scalar = 2.5;
        scalar.Dispose();
        AreEqual([3.5], Vector(1) + scalar);
    }

    [Fact]
    public void Integers_beyond_a_double_arrive_exactly() =>
        Assert.Equal(long.MaxValue, full([1], long.MaxValue, ScalarType.Int64).item<long>());
}
