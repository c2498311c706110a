using System.Text.Json.Nodes;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class IrrelevantSettingsTests
{
    [Theory]
    [InlineData("use_cache", "true")]
    [InlineData("dtype", "\"float32\"")]
    [InlineData("pad_token_id", "0")]
    [InlineData("is_decoder", "false")]
    [InlineData("mean", "1.5")]
    [InlineData("pruned_heads", "{}")]
    public void These_do_not_change_a_reward(string key, string value) =>
        Assert.True(IrrelevantSettings.Contains(key, JsonNode.Parse(value)!));

    [Theory]
    [InlineData("is_decoder", "true")]
    [InlineData("add_cross_attention", "true")]
    [InlineData("pruned_heads", """{"0":[1]}""")]
    [InlineData("hidden_size", "48")]
    [InlineData("rope_scaling", "{}")]
    [InlineData("quantization_config", "{}")]
    [InlineData("num_labels", "2")]
    public void These_do(string key, string value) =>
        Assert.False(IrrelevantSettings.Contains(key, JsonNode.Parse(value)!));
}
