using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class TokenizerExceptionTests
{
    [Fact]
    public void One_problem_stands_in_the_line_of_its_place() =>
        Assert.Equal("gpt2: no vocabulary", new TokenizerException("gpt2", ["no vocabulary"]).Message);

    [Fact]
    public void Several_problems_are_counted_and_listed()
    {
        var error = new TokenizerException("gpt2", ["no vocabulary", "no merges"]);
        Assert.Equal("gpt2: 2 problems\n- no vocabulary\n- no merges", error.Message);
        Assert.Equal(["no vocabulary", "no merges"], error.Problems);
    }
}
