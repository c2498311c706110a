using RewardModel.Tokenizers.Decoders;

namespace RewardModel.Tests.Tokenizers.Decoders;

public class DecoderReaderTests
{
    [Theory]
    [InlineData("""{"type": "ByteLevel"}""", "Ġa|Ã|©", " aé")]
    [InlineData("""{"type": "ByteLevel"}""", "Ã|a", "\uFFFDa")] // half a character
    [InlineData("""{"type": "ByteLevel"}""", "a b|Ġ", "a b ")] // an added token that is not spelt in the alphabet
    [InlineData("""{"type": "ByteFallback"}""", "a|<0xC3>|<0xA9>|b", "a|é|b")]
    [InlineData("""{"type": "ByteFallback"}""", "<0xC3>|b|<0x61>|<0xFF>", "\uFFFD|b|\uFFFD|\uFFFD")]
    [InlineData("""{"type": "ByteFallback"}""", "<0xZZ>|<0x1>", "<0xZZ>|<0x1>")]
    [InlineData("""{"type": "Fuse"}""", "a|b", "ab")]
    [InlineData("""{"type": "Replace", "pattern": {"String": "_"}, "content": " "}""", "_a_|b", " a |b")]
    [InlineData("""{"type": "Strip", "content": "_", "start": 1, "stop": 2}""", "__a___|_|b", "_a_||b")]
    [InlineData(
        """{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": "a", "start": 1, "stop": 0}]}""", "a|a", "a")]
    public void Each_type_turns_tokens_into_text_as_its_options_say(string json, string tokens, string expected)
    {
        var (component, problems) = Json.Component(json);
        Assert.Equal(expected, string.Join('|', DecoderReader.Read(component).Decode(tokens.Split('|'))));
        Assert.Empty(problems);
    }

    [Fact]
    public void Without_a_decoder_there_is_a_space_between_tokens() =>
        Assert.Equal(["a b"], DecoderReader.Read(null).Decode(["a", "b"]));

    [Theory]
    [InlineData(
        """{"type": "CTC"}""",
        "the type 'CTC' is not supported; supported are BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, "
            + "WordPiece")]
    [InlineData(
        """{"type": "Strip", "content": "ab", "start": -1, "stop": 0}""",
        "'content' is 'ab', expected one character|'start' is -1, expected an integer from 0 on")]
    [InlineData("""{"type": "Sequence", "decoders": 1}""", "'decoders' is not a list of objects")]
    public void What_can_not_be_used_is_a_problem(string json, string expected)
    {
        var (component, problems) = Json.Component(json);
        DecoderReader.Read(component);
        Assert.Equal(expected.Split('|').Select(problem => $"file.json: {problem}"), problems);
    }
}
