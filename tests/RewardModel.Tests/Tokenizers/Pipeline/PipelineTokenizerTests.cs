using System.Buffers;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers.Pipeline;

public class PipelineTokenizerTests
{
    [Fact]
    public void Tokens_know_their_place_in_the_normalised_text()
    {
        using var folder = TokenizerFolder.SentencePiece();
        var tokens = HuggingFaceTokenizer.Load(folder.Directory).Tokenizer.EncodeToTokens("ab é</s>b", out var normalized);
        Assert.Equal("▁ab▁é</s>▁b", normalized);
        Assert.Equal(
            [
                (264, "▁ab", 0..3), (259, "▁", 3..4), (198, "<0xC3>", 4..5), (172, "<0xA9>", 4..5), (2, "</s>", 5..9),
                (259, "▁", 9..10), (261, "b", 10..11),
            ],
            tokens.Select(token => (token.Id, token.Value, token.Offset)));
    }

    [Fact]
    public void A_limit_keeps_the_first_tokens_and_says_where_they_end()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory).Tokenizer;
        Assert.Equal([259, 261], tokenizer.EncodeToIds("hello world", 2, out var normalized, out var charsConsumed));
        Assert.Equal(("hello world", 8), (normalized, charsConsumed));
        Assert.Equal([259, 261, 114, 108, 100], tokenizer.EncodeToIds("hello world".AsSpan(), 9, out _, out charsConsumed));
        Assert.Equal(11, charsConsumed);
        Assert.Equal(5, tokenizer.CountTokens("hello world"));
        Assert.Equal(8, tokenizer.GetIndexByTokenCount("hello world", 2, out _, out var count));
        Assert.Equal(2, count);
        Assert.Equal(9, tokenizer.GetIndexByTokenCountFromEnd("hello world", 2, out _, out count));
        Assert.Equal(2, count);
    }

    [Fact]
    public void Normalisation_and_cutting_into_words_can_be_left_out()
    {
        using var folder = TokenizerFolder.SentencePiece();
        var sentencePiece = HuggingFaceTokenizer.Load(folder.Directory).Tokenizer;
        Assert.Equal([263, 35, 263], sentencePiece.EncodeToIds("ab ab", considerNormalization: false));

        using var bytes = TokenizerFolder.ByteLevel();
        bytes.Replace("\"Ġwo\": 261}", "\"Ġwo\": 261, \"helloĠw\": 265}");
        bytes.Replace("\"Ġw o\"]", "\"Ġw o\", \"hello Ġw\"]");
        var byteLevel = HuggingFaceTokenizer.Load(bytes.Directory).Tokenizer;
        Assert.Equal([259, 260], byteLevel.EncodeToIds("hello w"));
        Assert.Equal([265], byteLevel.EncodeToIds("hello w", considerPreTokenization: false));
    }

    [Theory]
    [InlineData("w", "260")]
    [InlineData(" w", "260")]
    [InlineData("<s>w", "262 260")]
    [InlineData("", "")]
    public void A_prefix_space_is_put_before_text_that_has_none(string text, string expected)
    {
        using var folder = TokenizerFolder.ByteLevel();
        folder.Replace("\"add_prefix_space\": false", "\"add_prefix_space\": true");
        Assert.Equal(expected, string.Join(' ', HuggingFaceTokenizer.Load(folder.Directory).Encode(text, addSpecialTokens: false)));
    }

    [Fact]
    public void Decoding_into_a_span_says_what_went_wrong()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory).Tokenizer;
        var destination = new char[5];
        Assert.Equal(OperationStatus.Done, tokenizer.Decode([259], destination, out var idsConsumed, out var charsWritten));
        Assert.Equal(("hello", 1, 5), (new string(destination), idsConsumed, charsWritten));
        Assert.Equal(OperationStatus.DestinationTooSmall, tokenizer.Decode([259, 260], destination, out idsConsumed, out charsWritten));
        Assert.Equal((0, 0), (idsConsumed, charsWritten));
        Assert.Equal(OperationStatus.InvalidData, tokenizer.Decode([999], destination, out _, out _));
    }
}
