using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tests.Tokenizers.Normalizers;

public class NormalizerReaderTests
{
    private const string Supported =
        "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents";

    [Theory]
    [InlineData("""{"type": "Prepend", "prepend": "_"}""", "a b", "_a b")]
    [InlineData("""{"type": "Prepend", "prepend": "_"}""", "", "")]
    [InlineData("""{"type": "Replace", "pattern": {"String": " "}, "content": "__"}""", " a b", "__a__b")]
    [InlineData("""{"type": "Replace", "pattern": {"Regex": " +"}, "content": "$0"}""", "a  b c", "a$0b$0c")]
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
    [InlineData("""{"type": "Unknown"}""", "file.json: the type 'Unknown' is not supported; supported are " + Supported)]
    [InlineData("""{"type": "Precompiled", "precompiled_charsmap": "?"}""", "file.json: 'precompiled_charsmap' is not base64")]
    [InlineData(
        """{"type": "Precompiled", "precompiled_charsmap": "AAAA"}""",
        "file.json: 'precompiled_charsmap' is not a table of replacements: it has 3 bytes, expected at least 4")]
    [InlineData("""{"type": "NFC", "form": 2}""", "file.json: the option 'form' is not supported")]
    [InlineData("""{"type": "Prepend"}""", "file.json: 'prepend' is missing, expected a string")]
    [InlineData("""{"type": "Prepend", "prepend": 3}""", "file.json: 'prepend' is 3, expected a string")]
    [InlineData(
        """{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Uppercase"}]}""",
        "file.json: normalizers[1]: the type 'Uppercase' is not supported; supported are " + Supported)]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        NormalizerReader.Read(component);
        Assert.Equal([expected], problems);
    }
}
