using RewardModel.Layouts;

namespace RewardModel.Tests.Layouts;

public class ScoreExpressionTests
{
    [Theory]
    [InlineData("helpfulness", 3)]
    [InlineData("helpfulness + 0.5*correctness", 5)]
    [InlineData("(helpfulness - correctness)/2", -0.5)]
    [InlineData("-helpfulness", -3)]
    [InlineData("[two words] * 2 + helpfulness", 17)]
    [InlineData("helpfulness / (correctness - 4)", double.PositiveInfinity)]
    public void It_is_arithmetic_over_named_numbers(string text, double value)
    {
        var expression = new ScoreExpression(text);
        Assert.False(expression.IsUsed);
        var numbers = new Dictionary<string, double> { ["helpfulness"] = 3, ["correctness"] = 4, ["two words"] = 7 };
        Assert.Equal(value, expression.Of(name => numbers[name]));
        Assert.Equal(value, expression.Of(name => numbers[name]));
        Assert.True(expression.IsUsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 + 2")]
    [InlineData("a +")]
    [InlineData("a*.+b")]
    [InlineData("a + 2147483647*2147483647*2147483647")]
    [InlineData("a + 'b'")]
    [InlineData("a > b")]
    [InlineData("Len(a)")]
    [InlineData("IIF(a, 1, 2)")]
    public void All_else_is_an_error(string text) => Assert.Equal(
        $"'{text}' is no expression that scores are computed by; expected arithmetic over the names of numbers, such as "
        + "\"helpfulness + 0.5*correctness\".",
        Assert.Throws<ArgumentException>(() => new ScoreExpression(text)).Message);

    [Fact]
    public void More_brackets_than_can_be_computed_are_refused()
    {
        static ScoreExpression In(int brackets) => new($"{new string('(', brackets)}a{new string(')', brackets)}");
        Assert.Equal(3, In(50).Of(_ => 3));
        foreach (var brackets in new[] { 101, 150, 1000 })
            Assert.Throws<ArgumentException>(() => In(brackets));
    }
}
