using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class SafetensorsTypeTests
{
    [Fact]
    public void Every_type_has_the_format_s_size() =>
        Assert.Equal(
            [("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1)],
            Enum.GetValues<SafetensorsType>().Select(type => (type.ToString(), type.Size())));

    [Fact]
    public void A_scalar_has_the_bytes_of_one_element() => Assert.Equal(8, SafetensorsType.I64.ByteCount([]));

    [Fact]
    public void Bytes_are_counted_without_wrapping_round()
    {
        Assert.Equal(1L << 62, SafetensorsType.F32.ByteCount([1L << 30, 1L << 30]));
        Assert.Throws<OverflowException>(() => SafetensorsType.F64.ByteCount([1L << 30, 1L << 30]));
        Assert.Throws<OverflowException>(() => SafetensorsType.U8.ByteCount([1L << 60, 1L << 60]));
    }
}
