using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tests.Compat.Tokenizers;

public class RegexPreTokenizerTests
{
    [Fact]
    public void Matches_are_words_and_the_rest_is_dropped() =>
        Assert.Equal([(1, 2), (4, 1)], new RegexPreTokenizer(new Regex("[a-z]+"), null).PreTokenize(" ab c".AsSpan()));

    [Fact]
    public void Special_tokens_are_words_wherever_they_stand() =>
        Assert.Equal(
            [(0, 1), (1, 4), (5, 1)],
            new RegexPreTokenizer(new Regex("[a-z]+"), new Dictionary<string, int> { ["<a"] = 0, ["<ab>"] = 1 }).PreTokenize("x<ab>y"));

    [Fact]
    public void Words_and_other_signs_are_apart() =>
        Assert.Equal([(0, 2), (2, 2), (5, 1)], PreTokenizer.CreateWordOrNonWord().PreTokenize("ab!? c"));
}
