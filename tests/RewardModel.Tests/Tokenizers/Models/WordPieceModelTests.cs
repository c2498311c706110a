using RewardModel.Tokenizers.Models;

namespace RewardModel.Tests.Tokenizers.Models;

public class WordPieceModelTests
{
    [Theory]
    [InlineData("ab", "2:0-2")]
    [InlineData("abb", "2:0-2 3:2-3")]
    [InlineData("ba", "0:0-2")] // "##a" is not there
    [InlineData("aba", "0:0-3")]
    [InlineData("abbbb", "2:0-2 3:2-3 3:3-4 3:4-5")]
    [InlineData("abbbbb", "0:0-6")] // longer than 5 characters
    [InlineData("a\U0001F600\U0001F600\U0001F600\U0001F600", "1:0-1 4:1-3 4:3-5 4:5-7 4:7-9")] // 5 characters
    public void The_longest_piece_is_taken_each_time(string word, string expected)
    {
        var (component, _) = Json.Component(
            """
            {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 5,
             "vocab": {"[UNK]": 0, "a": 1, "ab": 2, "##b": 3, "##\ud83d\ude00": 4, "b": 5}}
            """);
        var tokens = new List<WordToken>();
        ModelReader.Read(component)!.Make(readsBytes: false, new HashSet<string>()).AddTokens(word, tokens);
        Assert.Equal(expected, string.Join(' ', tokens.Select(token => $"{token.Id}:{token.Start}-{token.End}")));
    }
}
