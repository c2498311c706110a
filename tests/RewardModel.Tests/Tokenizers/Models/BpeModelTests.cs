using RewardModel.Tokenizers.Models;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tests.Tokenizers.Models;

public class BpeModelTests
{
    private static readonly BpeDefinition letters = new(
        Vocabulary("a", "b", "c", "ab", "bc", "abc", "?", "\U0001F600", " "),
        Merges: ["a b", "b c", "ab c"],
        UnknownToken: null,
        FusesUnknown: false,
        HasByteFallback: false,
        IgnoresMergesOfKnownWords: false,
        ContinuingPrefix: null,
        EndSuffix: null);

    [Theory]
    [InlineData("abc", "5:0-3")] // a b comes before b c
    [InlineData("bc", "4:0-2")]
    [InlineData("bcab", "4:0-2 3:2-4")]
    [InlineData("a b", "0:0-1 8:1-2 1:2-3")]
    [InlineData("\U0001F600a", "7:0-2 0:2-3")]
    public void Merges_are_applied_by_rank(string word, string expected) => Assert.Equal(expected, Tokens(letters, word));

    [Theory]
    [InlineData(null, false, "0:0-1 1:4-5 6:5-6")]
    [InlineData("?", false, "0:0-1 6:1-3 6:3-4 1:4-5 6:5-6")]
    [InlineData("?", true, "0:0-1 6:1-4 1:4-5 6:5-6")]
    public void Unknown_characters_are_dropped_or_replaced(string? unknownToken, bool fuses, string expected) =>
        Assert.Equal(
            expected,
            Tokens(letters with { UnknownToken = unknownToken, FusesUnknown = fuses, Merges = [] }, "a\U0001F601yb?"));

    [Theory]
    [InlineData("?x", "6:0-1 6:1-2")]
    [InlineData("x?", "6:0-1 6:1-2")]
    public void A_known_character_is_not_fused_with_unknown_ones(string word, string expected) =>
        Assert.Equal(expected, Tokens(letters with { UnknownToken = "?", FusesUnknown = true }, word));

    [Fact]
    public void Neighbours_of_a_dropped_character_are_merged() => Assert.Equal("3:0-3", Tokens(letters, "axb"));

    [Theory]
    [InlineData("a", "0:0-1")]
    [InlineData("ab", "5:0-2")] // a ##b| is merged to ab|
    [InlineData("aab", "4:0-2 2:2-3")]
    [InlineData("ba", "")] // neither b nor ##a| is there
    public void Tokens_inside_and_at_the_end_of_words_are_spelt_with_their_affixes(string word, string expected)
    {
        var definition = letters with
        {
            Vocabulary = Vocabulary("a|", "##a", "##b|", "a", "aa", "ab|"),
            Merges = ["a ##b|", "a ##a"],
            ContinuingPrefix = "##",
            EndSuffix = "|",
        };
        Assert.Equal(expected, Tokens(definition, word));
    }

    [Fact]
    public void Byte_level_tokens_of_one_character_share_its_place()
    {
        const string word = "aé\U0001F600";
        var definition = letters with
        {
            Vocabulary = Vocabulary(ByteAlphabet.Spell(word).Select(character => $"{character}")),
            Merges = [],
        };
        Assert.Equal("0:0-1 1:1-2 2:1-2 3:2-4 4:2-4 5:2-4 6:2-4", Tokens(definition, word, readsBytes: true));
    }

    [Fact]
    public void Byte_fallback_spells_what_the_vocabulary_lacks_in_byte_tokens()
    {
        var definition = letters with
        {
            Vocabulary = Vocabulary([.. letters.Vocabulary.Keys, .. ByteTokens.All]),
            HasByteFallback = true,
        };
        var firstByte = letters.Vocabulary.Count;
        Assert.Equal($"3:0-2 {firstByte + 0xC3}:2-3 {firstByte + 0xA9}:2-3 2:3-4", Tokens(definition, "abéc"));
    }

    [Theory]
    [InlineData(false, "3:0-2 2:2-3")]
    [InlineData(true, "5:0-3")]
    public void A_known_word_is_taken_whole_only_where_merges_are_ignored(bool ignoresMerges, string expected) =>
        Assert.Equal(expected, Tokens(letters with { Merges = ["a b"], IgnoresMergesOfKnownWords = ignoresMerges }, "abc"));

    [Fact]
    public void A_hidden_word_is_not_taken_whole() =>
        Assert.Equal(
            "3:0-2 2:2-3", Tokens(letters with { Merges = ["a b"], IgnoresMergesOfKnownWords = true }, "abc", hidden: ["abc"]));

    private static Dictionary<string, int> Vocabulary(params IEnumerable<string> tokens) =>
        tokens.Select((token, id) => (token, id)).ToDictionary();

    private static string Tokens(BpeDefinition definition, string word, bool readsBytes = false, params string[] hidden)
    {
        var tokens = new List<WordToken>();
        definition.Make(readsBytes, hidden.ToHashSet()).AddTokens(word, tokens);
        return string.Join(' ', tokens.Select(token => $"{token.Id}:{token.Start}-{token.End}"));
    }
}
