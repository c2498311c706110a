using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class TokenTextsTests
{
    [Theory]
    [InlineData("hello world")]
    [InlineData(" two  spaces\n\tand lines")]
    [InlineData("é, 漢字 and 🙂!")]
    public void Texts_together_are_the_text_and_whole_characters(string text)
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        int[] ids = [.. tokenizer.Encode(text, addSpecialTokens: false)];
        var texts = TokenTexts.Of(tokenizer, ids);
        Assert.Equal(ids.Length, texts.Length);
        Assert.Equal(text, string.Concat(texts));
        Assert.All(texts, piece => Assert.False(piece.Contains('\uFFFD') || piece is [.., var end] && char.IsHighSurrogate(end)));
        Assert.Equal(tokenizer.Decode(ids, skipSpecialTokens: false), string.Concat(texts));
    }

    [Fact]
    public void Bytes_that_make_no_character_are_replaced_and_none_of_what_follows_is_lost()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        int[] emoji = [.. tokenizer.Encode("🙂", addSpecialTokens: false)];
        Assert.Equal(4, emoji.Length);
        int[] ids = [.. emoji[..2], .. tokenizer.Encode("ab", addSpecialTokens: false)];
        Assert.EndsWith("ab", string.Concat(TokenTexts.Of(tokenizer, ids)));
        Assert.Contains('\uFFFD', string.Concat(TokenTexts.Of(tokenizer, ids)));
        Assert.Equal(["\uFFFD"], TokenTexts.Of(tokenizer, emoji.AsSpan(0, 1)));
        Assert.Equal(["", "", "\uFFFD", "a"], TokenTexts.Of(tokenizer, [.. tokenizer.Encode("\uFFFDa", addSpecialTokens: false)]));
        Assert.Empty(TokenTexts.Of(tokenizer, []));
    }
}
