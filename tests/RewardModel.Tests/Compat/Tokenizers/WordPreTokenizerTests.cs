using Microsoft.ML.Tokenizers;

namespace RewardModel.Tests.Compat.Tokenizers;

public class WordPreTokenizerTests
{
    [Fact]
    public void Words_and_other_signs_are_apart_and_white_space_is_dropped()
    {
        (int, int)[] words = [(0, 2), (2, 2), (5, 1)];
        Assert.Equal(words, new WordPreTokenizer().PreTokenize("ab!? c"));
        Assert.Equal(words, new WordPreTokenizer().PreTokenize("ab!? c".AsSpan()));
    }
}
