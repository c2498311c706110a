using System.Text.Json.Nodes;
using RewardModel.Files;

namespace RewardModel.Tests.Files;

public sealed class QuotedTests
{
    [Theory]
    [InlineData("score.weight", "'score.weight'")]
    [InlineData("a\nb\u001b[31m", "'a\\u000ab\\u001b[31m'")]
    [InlineData("Gewicht Ä", "'Gewicht Ä'")]
    public void Text_is_made_printable(string text, string expected) => Assert.Equal(expected, Quoted.Text(text));

    [Fact]
    public void Long_text_is_cut() => Assert.Equal($"'{new string('a', 80)}...'", Quoted.Text(new string('a', 81)));

    [Theory]
    [InlineData("null", "null")]
    [InlineData("\"silu\"", "\"silu\"")]
    [InlineData("[1, 2]", "[1,2]")]
    public void Json_is_quoted_as_it_stands(string json, string expected) => Assert.Equal(expected, Quoted.Json(JsonNode.Parse(json)));

    [Fact]
    public void A_long_reason_keeps_its_lines_and_nothing_else_that_a_terminal_obeys() =>
        Assert.Equal("a\nb\\u001b[31m\\u000d", Quoted.Cut("a\nb\u001b[31m\r", 2000, keepsLines: true));
}
