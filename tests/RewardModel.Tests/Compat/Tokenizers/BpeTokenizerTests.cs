using System.Buffers;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tests.Compat.Tokenizers;

public class BpeTokenizerTests
{
    private static readonly Dictionary<string, int> letters = Vocabulary("a", "b", "c", "ab", "bc", "abc", "?", "\U0001F600", " ");

    [Theory]
    [InlineData("abc", "5")] // a b comes before b c
    [InlineData("bc", "4")]
    [InlineData("bcab", "4 3")]
    [InlineData("", "")]
    [InlineData("\U0001F600a", "7 0")]
    public void Merges_are_applied_by_rank(string text, string expected) =>
        Assert.Equal(expected, Join(Make().EncodeToIds(text, considerPreTokenization: false)));

    [Theory]
    [InlineData(null, false, "0 1")]
    [InlineData("?", false, "0 6 6 1")]
    [InlineData("?", true, "0 6 1")]
    public void Unknown_characters_are_dropped_or_replaced(string? unknownToken, bool fuse, string expected) =>
        Assert.Equal(expected, Join(Make(unknownToken, fuse, merges: []).EncodeToIds("axyb", considerPreTokenization: false)));

    [Theory]
    [InlineData("a", "0")]
    [InlineData("ab", "5")] // a ##b| is merged to ab|
    [InlineData("aab", "4 2")]
    [InlineData("ba", "")] // neither b nor ##a| is there
    public void Tokens_inside_and_at_the_end_of_words_are_spelt_with_their_affixes(string text, string expected)
    {
        var tokenizer = BpeTokenizer.Create(new BpeOptions(Vocabulary("a|", "##a", "##b|", "a", "aa", "ab|"))
        {
            Merges = ["a ##b|", "a ##a"],
            ContinuingSubwordPrefix = "##",
            EndOfWordSuffix = "|",
        });
        Assert.Equal(expected, Join(tokenizer.EncodeToIds(text, considerPreTokenization: false)));
    }

    [Fact]
    public void Without_a_pre_tokenizer_white_space_is_dropped() => Assert.Equal("0 1", Join(Make().EncodeToIds("a b")));

    [Fact]
    public void Tokens_have_their_spelling_and_place()
    {
        var tokens = Make("?").EncodeToTokens("ab\U0001F601c", out var normalized, considerPreTokenization: false);
        Assert.Null(normalized);
        Assert.Equal([(3, "ab", 0..2), (6, "?", 2..4), (2, "c", 4..5)], tokens.Select(token => (token.Id, token.Value, token.Offset)));
    }

    [Fact]
    public void Byte_level_tokens_of_one_character_share_its_place()
    {
        var tokens = MakeByteLevel().EncodeToTokens("aé\U0001F600", out _, considerPreTokenization: false);
        Assert.Equal(
            [(97, 0..1), (195, 1..2), (169, 1..2), (240, 2..4), (159, 2..4), (152, 2..4), (128, 2..4)],
            tokens.Select(token => (token.Id, token.Offset)));
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("\n\u0000é漢\U0001F600")]
    [InlineData("")]
    public void Byte_level_ids_give_the_text_back(string text)
    {
        var tokenizer = MakeByteLevel();
        Assert.Equal(text, tokenizer.Decode(tokenizer.EncodeToIds(text, considerPreTokenization: false)));
    }

    [Fact]
    public void A_limit_keeps_the_first_tokens()
    {
        var tokenizer = Make();
        Assert.Equal("3 2", Join(tokenizer.EncodeToIds("ab c b", 2, out _, out var charsConsumed)));
        Assert.Equal(4, charsConsumed);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.EncodeToIds("ab", 0, out _, out _));
    }

    [Fact]
    public void Cutting_by_token_count_works_from_both_ends()
    {
        var tokenizer = Make(merges: []);
        Assert.Equal(2, tokenizer.GetIndexByTokenCount("abcab", 2, out _, out var count));
        Assert.Equal(2, count);
        Assert.Equal(3, tokenizer.GetIndexByTokenCountFromEnd("abcab".AsSpan(), 2, out _, out count));
        Assert.Equal(2, count);
        Assert.Equal(5, tokenizer.GetIndexByTokenCount("abcab".AsSpan(), 9, out _, out count));
        Assert.Equal(0, tokenizer.GetIndexByTokenCountFromEnd("abcab", 9, out _, out count));
        Assert.Equal(5, count);
    }

    [Fact]
    public void Decoding_leaves_out_unknown_ids_and_refuses_them_for_spans()
    {
        var tokenizer = Make();
        Assert.Equal("abc", tokenizer.Decode([3, 99, 2]));
        var destination = new char[3];
        Assert.Equal(OperationStatus.InvalidData, tokenizer.Decode([3, 99, 2], destination, out _, out _));
        Assert.Equal(OperationStatus.Done, tokenizer.Decode([3, 2], destination, out var idsConsumed, out var charsWritten));
        Assert.Equal(("abc", 2, 3), (new string(destination), idsConsumed, charsWritten));
        Assert.Equal(OperationStatus.DestinationTooSmall, tokenizer.Decode([5, 0], destination, out idsConsumed, out charsWritten));
        Assert.Equal((0, 0), (idsConsumed, charsWritten));
    }

    [Fact]
    public void Options_are_off_by_default()
    {
        var options = new BpeOptions(letters);
        Assert.Null(options.Merges);
        Assert.Null(options.UnknownToken);
        Assert.False(options.FuseUnknownTokens);
        Assert.False(options.ByteLevel);
        Assert.Null(options.ContinuingSubwordPrefix);
        Assert.Null(options.EndOfWordSuffix);
    }

    [Theory]
    [InlineData("a z", null, "the vocabulary has no token 'z'")]
    [InlineData("c a", null, "the vocabulary has no token 'ca'")]
    [InlineData("ab", null, "the merge 'ab' is not two tokens with a space between")]
    [InlineData(" a", null, "the merge ' a' is not two tokens with a space between")]
    [InlineData("a b", "<unk>", "the vocabulary has no token '<unk>'")]
    public void What_the_vocabulary_lacks_is_an_error(string merge, string? unknownToken, string expected) =>
        Assert.Equal(expected, Assert.Throws<InvalidOperationException>(() => Make(unknownToken, merges: [merge])).Message);

    private static BpeTokenizer Make(string? unknownToken = null, bool fuse = false, string[]? merges = null) =>
        BpeTokenizer.Create(new BpeOptions(letters)
        {
            Merges = merges ?? ["a b", "b c", "ab c"],
            UnknownToken = unknownToken,
            FuseUnknownTokens = fuse,
        });

    private static Dictionary<string, int> Vocabulary(params IEnumerable<string> tokens) =>
        tokens.Select((token, id) => (token, id)).ToDictionary();

    private static BpeTokenizer MakeByteLevel() =>
        BpeTokenizer.Create(new BpeOptions(Vocabulary(Enumerable.Range(0, 256).Select(value => $"{ByteAlphabet.CharOf((byte)value)}")))
        {
            ByteLevel = true,
        });

    private static string Join(IEnumerable<int> ids) => string.Join(' ', ids);
}
