using RewardModel.Training.Records;

namespace RewardModel.Tests.Training.Records;

public class NumberTextTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(4, "4")]
    [InlineData(-0.007, "−0.007")]
    [InlineData(0.54271, "0.5427")]
    [InlineData(12.3456, "12.35")]
    [InlineData(41_000.4, "41000")]
    [InlineData(0.000123, "0.000123")]
    [InlineData(9e-6, "9e-6")]
    [InlineData(-1234567, "−1.235e6")]
    public void Numbers_have_four_digits(double number, string text) => Assert.Equal(text, NumberText.Number(number));

    [Theory]
    [InlineData(0, "0.0 %")]
    [InlineData(0.00001, "0.1 %")]
    [InlineData(0.7316, "73.2 %")]
    [InlineData(0.99999, "99.9 %")]
    [InlineData(1, "100.0 %")]
    public void A_share_is_0_or_100_per_cent_only_where_it_is(double share, string text) => Assert.Equal(text, NumberText.Percent(share));

    [Theory]
    [InlineData(0.1184, "+11.8")]
    [InlineData(-0.0098, "−1.0")]
    [InlineData(-0.0001, "0.0")]
    [InlineData(0, "0.0")]
    public void Differences_have_a_sign(double difference, string text) => Assert.Equal(text, NumberText.Points(difference));

    [Theory]
    [InlineData(0.0314, 3, "+0.031")]
    [InlineData(-0.0316, 3, "-0.032")]
    [InlineData(-0.0002, 3, "+0.000")]
    [InlineData(0, 4, "+0.0000")]
    [InlineData(double.NaN, 3, "NaN")]
    public void Differences_in_text_have_a_sign(double difference, int decimals, string text) =>
        Assert.Equal(text, NumberText.Difference(difference, decimals));

    [Theory]
    [InlineData(42, "42 s")]
    [InlineData(125, "2 min 05 s")]
    [InlineData(7500, "2 h 05 min")]
    [InlineData(180_000, "2 d 02 h")]
    public void Times_have_two_units(int seconds, string text) => Assert.Equal(text, NumberText.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Things_are_counted() => Assert.Equal(
        ["1 pair", "0 pairs", "12,345 pairs"], new long[] { 1, 0, 12_345 }.Select(count => NumberText.Count(count, "pair")));
}
