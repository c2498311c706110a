using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class CheckpointExceptionTests
{
    [Fact]
    public void One_problem_stands_in_the_first_line() =>
        Assert.Equal(
            "dir/config.json: 'a' is missing. Add it.",
            new CheckpointException("dir/config.json", ["'a' is missing"], "Add it.").Message);

    [Fact]
    public void Several_problems_have_a_line_each() =>
        Assert.Equal(
            """
            dir/config.json: 2 problems
              - 'a' is missing
              - 'b' is 3
            Correct them.
            """.ReplaceLineEndings("\n"),
            new CheckpointException("dir/config.json", ["'a' is missing", "'b' is 3"], "Correct them.").Message);
}
