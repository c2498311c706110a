using RewardModel.Kernels;
using RewardModel.Tests.Training.Optimization;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Kernels;

public class DynamicMapTests
{
    [Fact]
    public void The_numbers_are_those_of_the_definition()
    {
        foreach (var (expected, found) in new[]
        {
            (OptimizerGoldens.SignedMap, DynamicMap.Signed), (OptimizerGoldens.UnsignedMap, DynamicMap.Unsigned),
        })
        {
            Assert.Equal(256, found.Values.Length);
            for (var code = 0; code < 256; code++)
                Assert.Equal(expected[code], found.Values[code], 1e-7f * Math.Abs(expected[code]));
            Assert.Equal(0, found.Values[found.Zero]);
        }
        Assert.Equal((127, 0), (DynamicMap.Signed.Zero, DynamicMap.Unsigned.Zero));
    }

    /// <summary>That is the nearest number, but at the end of a decade, whose parts are smaller than those behind it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_code_is_that_of_the_part_and_of_its_number_itself(bool isSigned)
    {
        var map = isSigned ? DynamicMap.Signed : DynamicMap.Unsigned;
        var random = new SplitMix64(7);
        float[] numbers =
        [
            1, isSigned ? -1 : 0.5f, 0, 1e-45f, 1e-8f, 9.9e-8f,
            .. map.Values.ToArray(),
            .. Enumerable.Range(0, 20_000).Select(_ =>
                (isSigned && random.NextBelow(2) == 0 ? -1 : 1) * (float)Math.Pow(10, -random.NextBelow(80_000) / 10_000.0)),
        ];
        foreach (var (number, code) in numbers.Zip(Encode(map, numbers, largest: 1)))
        {
            var magnitude = Math.Abs((double)number);
            // A little before a decade begins, within the slack, numbers are in it.
            var decade = (int)Math.Min(6, Math.Floor(Math.Log10(magnitude * 1.01)) + 7);
            // Below all parts are 0 and, without a sign, the least number.
            var part = decade < 0 ? 2 * 3.25e-7 : 9 * Math.Pow(10, decade - 7) / (1 << (isSigned ? decade : decade + 1));
            Assert.InRange(Math.Abs(map.Values[code] - (double)number), 0, part * (0.5 + 2e-3));
        }
        Assert.Equal(Enumerable.Range(0, 256), Encode(map, map.Values.ToArray(), largest: 1).Select(code => (int)code));
        Assert.Equal(map.Values.ToArray().Select(value => value * 3), Decode(map, [.. Enumerable.Range(0, 256).Select(code => (byte)code)], 3), Near);
    }

    [Fact]
    public void Numbers_are_shares_of_the_largest()
    {
        foreach (var largest in new[] { DynamicMap.LeastMagnitude, 1e-20f, 0.1f, 3, 7e19f, 3e38f })
        {
            Assert.Equal([255, 0, 127], Encode(DynamicMap.Signed, [largest, -largest, 0], largest));
            Assert.Equal([255, 0], Encode(DynamicMap.Unsigned, [largest, 0], largest));
        }
        Assert.Equal([127, 127], Encode(DynamicMap.Signed, [0, 1e-38f], largest: 0));
    }

    [Fact]
    public void A_number_above_0_stays_above_0_where_there_is_no_sign() =>
        Assert.Equal([1, 1, 0], Encode(DynamicMap.Unsigned, [1e-9f, 1e-30f, 0], largest: 1));

    [Fact]
    public void The_bounds_are_where_codes_begin()
    {
        foreach (var map in new[] { DynamicMap.Signed, DynamicMap.Unsigned })
        {
            // A little before and behind: lines and bounds are rounded by themselves.
            Assert.Equal(
                Enumerable.Range(map.Zero + 1, map.Bounds.Length),
                Encode(map, [.. map.Bounds.ToArray().Select(bound => bound * 1.00001f)], largest: 1).Select(code => (int)code));
            Assert.Equal(
                Enumerable.Range(map.Zero, map.Bounds.Length).Skip(1),
                Encode(map, [.. map.Bounds.ToArray().Skip(1).Select(bound => bound * 0.99999f)], largest: 1).Select(code => (int)code));
        }
    }

    private static bool Near(float expected, float found) => Math.Abs(expected - found) <= 2e-6f * Math.Abs(expected);

    private static unsafe byte[] Encode(DynamicMap map, float[] numbers, float largest)
    {
        // Blocks, the last one filled up.
        var codes = new byte[DynamicMap.BlockCountOf(numbers.Length) * DynamicMap.BlockLength];
        var padded = new float[codes.Length];
        numbers.CopyTo(padded, 0);
        fixed (float* source = padded)
        fixed (byte* target = codes)
            for (var i = 0; i < codes.Length; i += DynamicMap.BlockLength)
                switch (LaneWidth.Bits)
                {
                    case 512:
                        map.Encode<Lanes512>(source + i, largest, target + i);
                        break;
                    case 256:
                        map.Encode<Lanes256>(source + i, largest, target + i);
                        break;
                    default:
                        map.Encode<Lanes128>(source + i, largest, target + i);
                        break;
                }
        return codes[..numbers.Length];
    }

    private static unsafe float[] Decode(DynamicMap map, byte[] codes, float largest)
    {
        var numbers = new float[codes.Length];
        fixed (byte* source = codes)
        fixed (float* target = numbers)
            switch (LaneWidth.Bits)
            {
                case 512:
                    map.Decode<Lanes512>(source, largest, target);
                    break;
                case 256:
                    map.Decode<Lanes256>(source, largest, target);
                    break;
                default:
                    map.Decode<Lanes128>(source, largest, target);
                    break;
            }
        return numbers;
    }
}
