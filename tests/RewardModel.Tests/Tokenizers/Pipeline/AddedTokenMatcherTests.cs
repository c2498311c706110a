using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class AddedTokenMatcherTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("<a>", "[1:<a>]")]
    [InlineData("x<a>y<ab>", "x|[1:<a>]|y|[2:<ab>]")]
    [InlineData("<a><a>", "[1:<a>]|[1:<a>]")]
    [InlineData("<<a>", "<|[1:<a>]")]
    [InlineData("ends", "ends")] // "end" takes single words only
    [InlineData("the end.", "the |[3:end]|.")]
    [InlineData("end end", "[3:end]| |[3:end]")]
    [InlineData("x  <l>  y", "x|[4:  <l>]|  y")]
    [InlineData("x  <r>  y", "x  |[5:<r>  ]|y")]
    [InlineData("<r> <l>", "[5:<r> ]|[4:<l>]")] // the space is taken once
    [InlineData("<r>  \n.", "[5:<r>  \n]|[7:\n]|.")] // a token of white space is found in what another has taken
    [InlineData("<r>  \n .", "[5:<r>  \n ]|[7:\n]| .")]
    [InlineData("<r>\t.", "[5:<r>\t]|[8:]|.")] // but taking what is before it, it finds nothing left
    [InlineData("endless", "[6:endless]")] // the longest of those that start here
    public void Tokens_are_found_leftmost_first_and_longest_first(string text, string expected)
    {
        var matcher = new AddedTokenMatcher(
        [
            Token(1, "<a>"), Token(2, "<ab>"), Token(3, "end", single: true), Token(4, "<l>", left: true), Token(5, "<r>", right: true),
            Token(6, "endless"), Token(7, "\n"), Token(8, "\t", left: true),
        ]);
        Assert.Equal(
            expected,
            string.Join('|', matcher.Split(text).Select(part => part.Token is null ? part.Text : $"[{part.Token.Id}:{part.Text}]")));
    }

    [Fact]
    public void Without_tokens_the_text_stays_whole() =>
        Assert.Equal([new Section("text", null, Start: 0)], new AddedTokenMatcher([]).Split("text"));

    private static (string, AddedToken) Token(int id, string content, bool single = false, bool left = false, bool right = false) =>
        (content, new AddedToken(id, content, single, left, right, IsNormalized: false, IsSpecial: true));
}
