using RewardModel.Tokenization.Normalizers;

namespace RewardModel.Tests.Tokenization.Normalizers;

public class NormalizerReaderTests
{
    [Theory]
    [InlineData("""{"type": "Prepend", "prepend": "_"}""", "a b", "_a b")]
    [InlineData("""{"type": "Prepend", "prepend": "_"}""", "", "")]
    [InlineData("""{"type": "Replace", "pattern": {"String": " "}, "content": "__"}""", " a b", "__a__b")]
    [InlineData("""{"type": "NFC"}""", "e\u0301", "\u00E9")]
    [InlineData(
        """
        {"type": "Sequence", "normalizers": [
          {"type": "Prepend", "prepend": " "}, {"type": "Replace", "pattern": {"String": " "}, "content": "_"}]}
        """, "a b", "_a_b")]
    public void Each_type_rewrites_the_text_as_its_options_say(string json, string text, string expected)
    {
        var (component, problems) = Json.Component(json);
        Assert.Equal(expected, NormalizerReader.Read(component)!.Normalize(text));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData(
        """{"type": "Precompiled"}""", "file.json: the type 'Precompiled' is not supported; supported are NFC, Prepend, Replace, Sequence")]
    [InlineData("""{"type": "NFC", "form": 2}""", "file.json: the option 'form' is not supported")]
    [InlineData("""{"type": "Prepend"}""", "file.json: 'prepend' is missing, expected a string")]
    [InlineData("""{"type": "Prepend", "prepend": 3}""", "file.json: 'prepend' is 3, expected a string")]
    [InlineData(
        """{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}""",
        "file.json: normalizers[1]: the type 'Lowercase' is not supported; supported are NFC, Prepend, Replace, Sequence")]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        NormalizerReader.Read(component);
        Assert.Equal([expected], problems);
    }

    [Fact]
    public void A_replaced_regular_expression_is_a_problem()
    {
        var (component, problems) = Json.Component("""{"type": "Replace", "pattern": {"Regex": " +"}, "content": "_"}""");
        NormalizerReader.Read(component);
        Assert.Equal(
            ["file.json: pattern: the option 'Regex' is not supported", "file.json: 'pattern' has no string to look for"], problems);
    }
}
