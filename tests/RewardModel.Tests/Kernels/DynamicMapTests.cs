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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_code_is_the_nearest_number_and_back_again_itself(bool isSigned)
    {
        var map = isSigned ? DynamicMap.Signed : DynamicMap.Unsigned;
        var random = new SplitMix64(7);
        float[] numbers =
        [
            1, isSigned ? -1 : 0.5f, 0, 1e-45f, 1e-8f, 1e-7f, 1.2e-7f,
            .. map.Values.ToArray(),
            .. map.Middles.SelectMany(middle => new[] { MathF.BitDecrement(middle), MathF.BitIncrement(middle) }),
            .. Enumerable.Range(0, 20_000).Select(_ =>
                (isSigned && random.NextBelow(2) == 0 ? -1 : 1) * (float)Math.Pow(10, -random.NextBelow(80_000) / 10_000.0)),
        ];
        foreach (var number in numbers)
        {
            var found = map.Values[Encode(map, number, largest: 1)];
            var nearest = float.PositiveInfinity;
            foreach (var value in map.Values)
                nearest = Math.Min(nearest, Math.Abs(value - number));
            Assert.True(Math.Abs(found - number) == nearest, $"{number:R} became {found:R}");
        }
        for (var code = 0; code < 256; code++)
            Assert.Equal(code, Encode(map, map.Values[code], largest: 1));
    }

    [Fact]
    public void Numbers_are_shares_of_the_largest()
    {
        Assert.Equal(255, Encode(DynamicMap.Signed, 1e-40f, largest: 1e-40f));
        Assert.Equal(0, Encode(DynamicMap.Signed, -3e38f, largest: 3e38f));
        Assert.Equal(DynamicMap.Signed.Zero, Encode(DynamicMap.Signed, 0, largest: 0));
        // What should never come is no reason to read beyond the table.
        Assert.InRange(Encode(DynamicMap.Signed, float.NaN, largest: 1), 0, 255);
        Assert.InRange(Encode(DynamicMap.Unsigned, float.PositiveInfinity, largest: 1), 0, 255);
    }

    [Fact]
    public void A_least_code_keeps_numbers_above_0()
    {
        Assert.Equal(0, Encode(DynamicMap.Unsigned, 1e-9f, largest: 1));
        Assert.Equal(1, Encode(DynamicMap.Unsigned, 1e-9f, largest: 1, least: 1));
        Assert.Equal(0, Encode(DynamicMap.Unsigned, 0, largest: 1, least: 1));
    }

    private static unsafe byte Encode(DynamicMap map, float number, float largest, int least = 0)
    {
        byte code;
        map.Encode(&number, largest, 1, least, &code);
        return code;
    }
}
