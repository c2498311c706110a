using System.Text.Json.Nodes;
using RewardModel.Checkpoints;

namespace RewardModel.Tests;

[Collection(nameof(RunsAlone))]
public class TrainingMemoryTests
{
    [Theory]
    [InlineData("gpt2", 128, 64, 6)]
    [InlineData("gpt2", 0, 192, 3)]
    [InlineData("llama", 128, 64, 6)]
    [InlineData("llama", 384, 16, 4)]
    [InlineData("llama", 64, 256, 3)]
    public void The_estimate_is_within_a_quarter_of_the_measured_peak(string architecture, int prompt, int answer, int answers)
    {
        using var directory = new TemporaryDirectory();
        var settings = Config(architecture);
        File.WriteAllText(directory["config.json"], settings.ToJsonString());
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(directory.Path));
        var estimate = TrainingMemory.Estimate(model, new ListSize(prompt, answer, answers));
        var measured = ChildProgram.Measure("step", directory["config.json"], $"{prompt}", $"{answer}", $"{answers}");
        Assert.InRange(measured[0] / (double)estimate.Total, 0.75, 1.25);
        // Not only because weights and moments are most of it.
        Assert.InRange(measured[1] / (double)estimate.Activations, 0.75, 1.25);
    }

    private static JsonObject Config(string architecture)
    {
        var settings = TinyModel.Config(architecture);
        var names = architecture == "gpt2"
            ? ("n_embd", "n_layer", "n_head", "n_positions")
            : ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings");
        settings[names.Item1] = 256;
        settings[names.Item2] = 6;
        settings[names.Item3] = 8;
        settings[names.Item4] = 512;
        if (architecture == "llama")
        {
            settings["intermediate_size"] = 688;
            settings["num_key_value_heads"] = 4;
        }
        return settings;
    }
}
