using RewardModel.Checkpoints;
using RewardModel.Training.Planning;
using RewardModel.Training.Recipes;

namespace RewardModel.Tests.Training.Planning;

public class NamedModelTests
{
    // As published, without the vocabulary head where that has weights of its own, and with a head for rewards.
    [Theory]
    [InlineData("gpt2", 124_439_808 + 768)]
    [InlineData("llama-7b", 6_738_415_616 - 131_072_000 + 4096)]
    [InlineData("llama-2-7b", 6_738_415_616 - 131_072_000 + 4096)]
    [InlineData("llama-2-13b", 13_015_864_320 - 163_840_000 + 5120)]
    [InlineData("llama-2-70b", 68_976_648_192 - 262_144_000 + 8192)]
    [InlineData("llama-3-8b", 8_030_261_248 - 525_336_576 + 4096)]
    [InlineData("llama-3-70b", 70_553_706_496 - 1_050_673_152 + 8192)]
    [InlineData("opt-350m", 331_196_416 + 512)]
    public void Its_parameters_are_as_many_as_published(string name, long count) => Assert.Equal(count, Shapes.Of(name).All.Parameters);

    [Fact]
    public void Every_known_model_can_be_planned() => Assert.All(NamedModel.Names, name => Assert.True(Shapes.Of(name).Layers.Count >= 12));

    [Fact]
    public void An_unknown_name_lists_the_known_ones()
    {
        var error = Assert.Throws<CheckpointException>(() => NamedModel.ConfigOf("llama-70b"));
        Assert.Contains("there is no such directory or file, and no known model of this name", error.Message);
        Assert.Contains("Give a directory, a config.json, or one of: gpt2, instructgpt-6b, llama-2-13b, ", error.Message);
    }

    [Fact]
    public void Published_runs_have_known_models_and_recipes() => Assert.All(PublishedRun.All, run =>
    {
        Assert.Contains(run.Model, NamedModel.Names);
        Assert.NotNull(TrainingRecipe.Named(run.Recipe));
        Assert.Empty(new WorkloadShape(run.ListCount, run.AnswerCount, run.PromptTokens, run.AnswerTokens, 1).Problems());
    });
}
