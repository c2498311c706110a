namespace RewardModel.Tests;

public class NumbersTests
{
    private static readonly float[] expected = [3, -0.001f, 0.5f];

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void A_unit_is_that_of_the_largest_number(int unitsOff, bool isEqual)
    {
        // The numbers from 2 to below 4 lie 2^-22 apart in float32.
        float[] found = [3, -0.001f + unitsOff * MathF.ScaleB(1, -22), 0.5f];
        AssertThrowsUnless(isEqual, () => Numbers.AssertEqualButForRounding(expected, found, units: 2.5));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void Bfloat16_has_larger_units(int unitsOff, bool isEqual)
    {
        float[] found = [3 + unitsOff * MathF.ScaleB(1, -6), -0.001f, 0.5f];
        AssertThrowsUnless(isEqual, () => Numbers.AssertEqualButForRounding(expected, found, units: 2.5, Numbers.Bfloat16));
    }

    [Fact]
    public void Zeros_equal_zeros_only()
    {
        Numbers.AssertEqualButForRounding([0, 0], [0, 0], units: 2);
        AssertThrowsUnless(false, () => Numbers.AssertEqualButForRounding([0, 0], [0, float.Epsilon], units: 2));
    }

    [Fact]
    public void What_is_no_number_equals_nothing()
    {
        AssertThrowsUnless(false, () => Numbers.AssertEqualButForRounding(expected, [3, float.NaN, 0.5f], units: 2));
        AssertThrowsUnless(false, () => Numbers.AssertEqualButForRounding(expected, [float.PositiveInfinity, 0, 0], units: 2));
    }

    private static void AssertThrowsUnless(bool isEqual, Action assert) =>
        Assert.Equal(isEqual, Record.Exception(assert) is not Xunit.Sdk.XunitException);
}
