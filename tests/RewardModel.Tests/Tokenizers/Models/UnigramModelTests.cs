using RewardModel.Tokenizers;
using RewardModel.Tokenizers.Models;

namespace RewardModel.Tests.Tokenizers.Models;

public class UnigramModelTests
{
    private const string Pieces =
        """[["<unk>", 0], ["a", -1], ["b", -1], ["ab", -1.5], ["\ud83d\ude00", -2], ["</s>", 0], ["<0x63>", -9]]""";

    [Theory]
    [InlineData("ab", "3:0-2")] // -1.5 is more than -1 - 1
    [InlineData("aba", "3:0-2 1:2-3")]
    [InlineData("xya", "0:0-2 1:2-3")] // neighbouring unknown characters are one
    [InlineData("x\U0001F600y", "0:0-1 4:1-3 0:3-4")]
    [InlineData("</s>", "5:0-4")]
    public void The_pieces_with_the_highest_sum_of_scores_are_taken(string word, string expected) =>
        Assert.Equal(expected, Tokens($$"""{"type": "Unigram", "unk_id": 0, "vocab": {{Pieces}} }""", word));

    [Theory]
    [InlineData("c", "6:0-1")]
    [InlineData("cd", "0:0-2")] // d has no byte piece, and so the run is unknown
    public void Unknown_characters_become_their_bytes_where_all_have_one(string word, string expected) =>
        Assert.Equal(expected, Tokens($$"""{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": {{Pieces}} }""", word));

    [Fact]
    public void Without_an_unknown_piece_an_unknown_character_is_an_error() =>
        Assert.Equal(
            "tokenizer.json: model: nothing in 'vocab' stands for 'x', and there is no 'unk_id'; add one",
            Assert.Throws<TokenizerException>(() => Tokens("""{"type": "Unigram", "vocab": [["a", 0]]}""", "ax")).Message);

    [Fact]
    public void A_hidden_piece_is_not_found() =>
        Assert.Equal("0:0-4", Tokens($$"""{"type": "Unigram", "unk_id": 0, "vocab": {{Pieces}} }""", "</s>", hidden: ["</s>"]));

    private static string Tokens(string json, string word, params string[] hidden)
    {
        var (component, problems) = Json.Component(json);
        var model = ModelReader.Read(component)!.Make(readsBytes: false, hidden.ToHashSet());
        Assert.Empty(problems);
        var tokens = new List<WordToken>();
        model.AddTokens(word, tokens);
        return string.Join(' ', tokens.Select(token => $"{token.Id}:{token.Start}-{token.End}"));
    }
}
