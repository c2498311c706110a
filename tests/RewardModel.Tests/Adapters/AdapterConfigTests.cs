using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Adapters;

public sealed class AdapterConfigTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void What_peft_writes_is_read()
    {
        var config = Read("""
            {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "some/model", "r": 16, "lora_alpha": 32, "lora_dropout": 0.05,
             "target_modules": ["q_proj", "v_proj"], "use_rslora": true, "bias": "lora_only", "modules_to_save": ["score"], "fan_in_fan_out": false,
             "inference_mode": true, "init_lora_weights": "gaussian", "loftq_config": {}, "megatron_config": null, "megatron_core": "megatron.core",
             "layers_to_transform": null, "layer_replication": null, "revision": null, "auto_mapping": null, "use_dora": false,
             "rank_pattern": {"k_proj": 4, "layers.1.v_proj": 2}, "alpha_pattern": {"v_proj": 8}}
            """);
        Assert.Equal(
            new LoraOptions(16)
            {
                Alpha = 32,
                Dropout = 0.05,
                Targets = "q_proj,v_proj",
                IsRankStabilized = true,
                Bias = LoraBias.LoraOnly,
                ModulesToSave = "score",
            },
            config.Options);
        Assert.Equal(("some/model", "SEQ_CLS"), (config.BaseModel, config.TaskType));
        Assert.Equal((16, 2, 4), (config.RankOf("model.layers.0.v_proj"), config.RankOf("model.layers.1.v_proj"), config.RankOf("k_proj")));
        Assert.Equal((8, 32), (config.AlphaOf("model.layers.0.v_proj"), config.AlphaOf("model.layers.0.q_proj")));
    }

    [Theory]
    [InlineData("""["q_proj"]""", null, "model.layers.0.self_attn.q_proj", true)]
    [InlineData("""["proj"]""", null, "model.layers.0.self_attn.q_proj", false)]
    [InlineData("\"all-linear\"", null, "model.layers.0.mlp.up_proj", true)]
    [InlineData("\".*q_proj\"", null, "model.layers.0.self_attn.q_proj", true)]
    [InlineData("\"q_proj\"", null, "model.layers.0.self_attn.q_proj", false)]
    [InlineData("\".*q_pro\"", null, "model.layers.0.self_attn.q_proj", false)]
    [InlineData("""["q_proj"]""", "\"exclude_modules\": [\"layers.0.self_attn.q_proj\"]", "model.layers.0.self_attn.q_proj", false)]
    [InlineData("""["q_proj"]""", "\"exclude_modules\": \".*0.*\"", "model.layers.0.self_attn.q_proj", false)]
    [InlineData("""["q_proj"]""", "\"exclude_modules\": \".*0.*\"", "model.layers.1.self_attn.q_proj", true)]
    [InlineData("""["q_proj"]""", "\"layers_to_transform\": [1, 2]", "model.layers.1.self_attn.q_proj", true)]
    [InlineData("""["q_proj"]""", "\"layers_to_transform\": 1", "model.layers.0.self_attn.q_proj", false)]
    [InlineData("""["q_proj"]""", "\"layers_to_transform\": 1, \"layers_pattern\": \"layers\"", "model.layers.1.self_attn.q_proj", true)]
    [InlineData("""["q_proj"]""", "\"layers_to_transform\": 1, \"layers_pattern\": [\"h\"]", "model.layers.1.self_attn.q_proj", false)]
    [InlineData("""["dense"]""", "\"modules_to_save\": [\"pooler\"]", "bert.pooler.dense", false)]
    public void Targets_are_those_of_peft(string targets, string? others, string module, bool isTarget)
    {
        var config = Read($$"""{"peft_type": "LORA", "target_modules": {{targets}}{{(others is null ? "" : ", " + others)}}}""");
        Assert.Equal(isTarget, config.IsTarget(module));
    }

    [Fact]
    public void What_changes_rewards_and_is_not_supported_is_refused_by_name()
    {
        Assert.Equal(
            [
                "'peft_type' is \"IA3\"; expected \"LORA\"",
                "'use_dora' is true; expected no such setting: DoRA scales the columns of weights, which is not supported",
                "'lora_bias' is true; expected no such setting: B would have a bias, which is not supported",
                "'layer_replication' is [[0,2],[1,2]]; expected no such setting: layers would be computed several times, which is not supported",
                "'trainable_token_indices' is [1]; expected no such setting: single rows of the embedding would be replaced, which is not supported",
                "'target_parameters' is [\"w\"]; expected no such setting: parameters that belong to no linear layer would be changed, which is not "
                    + "supported",
                "'megatron_config' is {\"a\":1}; expected no such setting: layers would be Megatron's parallel ones, which is not supported",
                "'init_lora_weights' is \"pissa\"; expected true: with others the base model's weights were changed before training. "
                    + "PEFT's save_pretrained with path_initial_model_for_weight_conversion writes an adapter of the unchanged model",
                "'target_modules' is missing; expected names of layers, a regular expression or \"all-linear\"",
                "'of_tomorrow' is 1; expected no such setting: this library does not know what it does",
            ],
            Problems("""
                {"peft_type": "IA3", "use_dora": true, "lora_bias": true, "layer_replication": [[0, 2], [1, 2]], "trainable_token_indices": [1],
                 "target_parameters": ["w"], "megatron_config": {"a": 1}, "init_lora_weights": "pissa", "of_tomorrow": 1}
                """));
    }

    [Theory]
    [InlineData("\"r\": 0", "'r' is 0; expected at least 1")]
    [InlineData("\"lora_dropout\": 1", "the dropout rate is 1; expected a number from 0 to below 1")]
    [InlineData("\"bias\": \"some\"", "'bias' is \"some\"; expected one of \"none\", \"all\", \"lora_only\"")]
    [InlineData("\"rank_pattern\": {\"q\": 1.5}", "'rank_pattern' has 1.5 for 'q'; expected a number above 0, of ranks a whole one up to 65536")]
    [InlineData("\"layers_to_transform\": [\"x\"]", "'layers_to_transform' is [\"x\"]; expected a whole number or a list of them")]
    public void Wrong_values_are_told(string setting, string problem) => Assert.Contains(
        problem, Problems($$"""{"peft_type": "LORA", "target_modules": ["q_proj"], {{setting}}}"""));

    [Fact]
    public void A_pattern_that_cannot_be_read_is_told()
    {
        var config = Read("""{"peft_type": "LORA", "target_modules": "("}""");
        Assert.StartsWith(
            "adapter_config.json: a regular expression can't be used: ", Assert.Throws<CheckpointException>(() => config.IsTarget("q_proj")).Message,
            StringComparison.Ordinal);
    }

    private AdapterConfig Read(string text)
    {
        File.WriteAllText(directory["adapter_config.json"], JsonNode.Parse(text)!.ToJsonString());
        return AdapterConfig.Read(directory.Path);
    }

    private IReadOnlyList<string> Problems(string text) => Assert.Throws<CheckpointException>(() => Read(text)).Problems;
}
