using System.Globalization;
using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Optimization;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public class TrainingMemoryTests
{
    [Theory]
    [InlineData("gpt2", 128, 64, 6)]
    [InlineData("gpt2", 0, 192, 3)]
    [InlineData("llama", 128, 64, 6)]
    [InlineData("llama", 384, 16, 4)]
    [InlineData("llama", 64, 256, 3)]
    [InlineData("bert", 64, 256, 3)]
    [InlineData("opt", 128, 64, 6)]
    [InlineData("gemma2", 128, 64, 6)]
    [InlineData("gpt_neox", 128, 64, 6)]
    [InlineData("phi3", 128, 64, 6)]
    [InlineData("qwen3", 128, 64, 6)]
    [InlineData("olmo2", 128, 64, 6)]
    [InlineData("starcoder2", 128, 64, 6)]
    [InlineData("stablelm", 128, 64, 6)]
    [InlineData("phi", 128, 64, 6)]
    [InlineData("nemotron", 128, 64, 6)]
    [InlineData("modernbert", 128, 64, 6)]
    [InlineData("deberta-v2", 128, 64, 6)]
    [InlineData("qwen3_moe", 128, 64, 6)]
    public void The_estimate_is_within_a_quarter_of_the_measured_peak(string architecture, int prompt, int answer, int answers)
    {
        using var directory = new TemporaryDirectory();
        var settings = Config(architecture);
        File.WriteAllText(directory["config.json"], settings.ToJsonString());
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(directory.Path));
        var estimate = TrainingMemory.Estimate(model, new ListSize(prompt, answer, answers));
        var measured = ChildProgram.Measure("step", directory["config.json"], $"{prompt}", $"{answer}", $"{answers}", "false");
        Assert.InRange(measured[0] / (double)estimate.Total, 0.75, 1.25);
        // Not only because weights and moments are most of it.
        // With the kernels closer, so that it shows what they don't keep.
        var distance = 0.15;
        Assert.InRange(measured[1] / (double)estimate.Activations, 1 - distance, 1 + distance);
    }

    [Theory]
    [InlineData("gpt2", 128, 64, 6)]
    [InlineData("llama", 64, 256, 3)]
    [InlineData("bert", 64, 256, 3)]
    [InlineData("opt", 128, 64, 6)]
    [InlineData("gemma2", 128, 64, 6)]
    [InlineData("phi3", 128, 64, 6)]
    [InlineData("deberta-v2", 128, 64, 6)]
    [InlineData("qwen3_moe", 128, 64, 6)]
    public void With_checkpointing_the_estimate_is_within_a_quarter_as_well(string architecture, int prompt, int answer, int answers)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["config.json"], Config(architecture).ToJsonString());
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(directory.Path));
        var estimate = TrainingMemory.Estimate(model, new ListSize(prompt, answer, answers));
        var measured = ChildProgram.Measure("step", directory["config.json"], $"{prompt}", $"{answer}", $"{answers}", "true");
        Assert.InRange(measured[1] / (double)estimate.CheckpointedActivations, 0.75, 1.25);
    }

    [Theory]
    [InlineData("llama", 3, false)]
    [InlineData("llama", 3, true)]
    [InlineData("gpt2", 1, false)]
    [InlineData("bert", 2, false)]
    [InlineData("bert", 0, false)]
    [InlineData("bert", 2, true)]
    public void What_is_frozen_is_not_counted(string architecture, int trainedLayers, bool checkpointing)
    {
        const int prompt = 256, answer = 128, answers = 8;
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["config.json"], Config(architecture).ToJsonString());
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(directory.Path));
        model.Freeze(trainedLayers);
        var estimate = TrainingMemory.Estimate(model, new ListSize(prompt, answer, answers));
        var trained = model.TrainedParameters.Sum(pair => pair.Parameter.numel());
        Assert.Equal((4 * trained, 8 * trained), (estimate.Gradients, estimate.Moments));
        var measured = ChildProgram.Measure(
            "step", directory["config.json"], $"{prompt}", $"{answer}", $"{answers}", checkpointing ? "true" : "false", $"{trainedLayers}");
        var activations = checkpointing ? estimate.CheckpointedActivations : estimate.Activations;
        Assert.InRange(measured[0] / (double)(estimate.Total - estimate.Activations + activations), 0.75, 1.25);
        Assert.InRange(measured[1] / (double)activations, 0.75, 1.25);
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW, 8 * 4000 * 2000)]
    [InlineData(OptimizerKind.AdamW8Bit, 2 * (4000 * 2000 + 4 * 4000 * 2000 / 256))]
    [InlineData(OptimizerKind.Adafactor, 4 * (4000 + 2000))]
    public void What_an_optimiser_keeps_is_what_a_process_grows_by(OptimizerKind optimizer, long bytes)
    {
        Assert.Equal(bytes, OptimizerMemory.BytesOf(optimizer, [4000, 2000]));
        var measured = ChildProgram.Measure("optimizer", $"{optimizer}", "4000", "2000").Single();
        // Besides, a few pages of the process itself.
        Assert.InRange(measured, bytes * 0.99 - 1e6, bytes * 1.01 + 2e6);
    }

    [Fact]
    public void Moments_are_estimated_to_the_byte()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var model = TinyModel.Create("gpt2");
        (string, TorchSharp.Modules.Parameter)[] parameters =
        [
            .. model.TrainedParameters,
            .. new long[][] { [4095], [4096], [64, 65], [3, 50, 60], [1, 5000] }.Select((shape, i) =>
                ($"{i}", new TorchSharp.Modules.Parameter(TorchSharp.torch.zeros(shape)))),
        ];
        foreach (var kind in Enum.GetValues<OptimizerKind>())
        {
            using var optimizer = new TrainingOptions { Optimizer = kind }.CreateOptimizer(
                parameters.Select(WeightPart.Of), parameters.ToDictionary(pair => pair.Item1, _ => 1.0));
            Assert.Equal(
                optimizer.State().Sum(pair => pair.Tensor.numel() * pair.Tensor.element_size()),
                parameters.Sum(pair => OptimizerMemory.BytesOf(kind, pair.Item2.shape)));
            Assert.Equal(
                model.TrainedParameters.Sum(pair => OptimizerMemory.BytesOf(kind, pair.Parameter.shape)),
                TrainingMemory.Estimate(model, new ListSize(8, 8, 2), kind).Moments);
        }
    }

    [Theory]
    [InlineData("llama", WeightStorage.Float32)]
    [InlineData("llama", WeightStorage.Bfloat16)]
    [InlineData("llama", WeightStorage.Int8)]
    [InlineData("llama", WeightStorage.Nf4)]
    [InlineData("gpt2", WeightStorage.Nf4)]
    public void Stored_weights_are_counted_as_they_are_stored(string architecture, WeightStorage storage)
    {
        const int trainedLayers = 1;
        using var directory = new TemporaryDirectory();
        var settings = Config(architecture);
        var (width, layers) = architecture == "gpt2" ? ("n_embd", "n_layer") : ("hidden_size", "num_hidden_layers");
        (settings[width], settings[layers], settings["vocab_size"]) = (512, 10, 8192);
        if (architecture == "llama")
            settings["intermediate_size"] = 1376;
        File.WriteAllText(directory["config.json"], settings.ToJsonString());
        var config = HuggingFaceConfig.Read(directory.Path);
        using (var model = new ScoringModel(RewardTransformer.FromConfig(config)))
            model.Save(directory.Path);
        using var shapes = RewardTransformer.WithoutWeights(config);
        shapes.FreezeAs(trainedLayers, storage);
        var estimate = TrainingMemory.Estimate(shapes, new ListSize(128, 64, 6));
        var measured = ChildProgram.Measure("stored-step", directory.Path, $"{storage}", $"{trainedLayers}");
        Assert.InRange(measured[0] / (double)estimate.Total, 0.8, 1.2);
        // Beside the weights a tensor of the file, in its type and in float32.
        var largest = shapes.CheckpointParameters.Max(pair => 4 * pair.Parameter.numel());
        var loading = ChildProgram.Measure("load", directory.Path, $"{storage}", $"{trainedLayers}")[0];
        Assert.InRange(loading, 0.8 * estimate.Weights, 1.1 * estimate.Weights + 3 * largest);
    }

    // The table of docs/frozen-weights.md.
    [Theory]
    [InlineData(WeightStorage.Float32, 26.4)]
    [InlineData(WeightStorage.Bfloat16, 13.2)]
    [InlineData(WeightStorage.Int8, 6.9)]
    [InlineData(WeightStorage.Nf4, 3.7)]
    public void A_model_of_seven_billion_weights_is_estimated_without_them(WeightStorage storage, double gigabytes)
    {
        using var model = RewardTransformer.WithoutWeights(HuggingFaceConfig.Parse(
            """
            {
              "model_type": "llama", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
              "num_attention_heads": 32, "max_position_embeddings": 4096
            }
            """,
            "config.json"));
        model.FreezeAs(0, storage);
        var estimate = TrainingMemory.Estimate(model, new ListSize(512, 256, 4));
        Assert.Equal(gigabytes, Math.Round(estimate.Weights / 1e9, 1));
    }

    [Theory]
    [InlineData("llama", LoraOptions.AttentionTargets, 0.0)]
    [InlineData("llama", LoraOptions.AllLinearTargets, 0.0)]
    [InlineData("llama", LoraOptions.AttentionTargets, 0.1)]
    [InlineData("llama", "up_proj", 0.0)]
    [InlineData("gpt2", LoraOptions.AttentionTargets, 0.0)]
    [InlineData("gpt2", LoraOptions.AllLinearTargets, 0.0)]
    [InlineData("bert", LoraOptions.AttentionTargets, 0.0)]
    public void With_adapters_the_estimate_is_within_a_quarter_as_well(string architecture, string targets, double dropout)
    {
        const int prompt = 256, answer = 128, answers = 8;
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["config.json"], Config(architecture).ToJsonString());
        using var model = RewardTransformer.FromConfig(HuggingFaceConfig.Read(directory.Path));
        model.AddAdapter(new LoraOptions(8) { Targets = targets, Dropout = dropout });
        var estimate = TrainingMemory.Estimate(model, new ListSize(prompt, answer, answers));
        var trained = model.TrainedParameters.Sum(pair => pair.Parameter.numel());
        Assert.Equal((4 * trained, 8 * trained), (estimate.Gradients, estimate.Moments));
        var measured = ChildProgram.Measure(
            "adapter-step", directory["config.json"], targets, dropout.ToString(CultureInfo.InvariantCulture), $"{prompt}", $"{answer}", $"{answers}");
        Assert.InRange(measured[0] / (double)estimate.Total, 0.75, 1.25);
        Assert.InRange(measured[1] / (double)estimate.Activations, 0.75, 1.25);
    }

    [Fact]
    public void A_batch_is_estimated_as_it_is()
    {
        using var model = TinyModel.Create("llama");
        TokenizedList first = TinyModel.List(1, 20, 10, 10, 10), second = TinyModel.List(2, 5, 4, 6);
        long Activations(params TokenizedList[] lists) => TrainingMemory.Estimate(model, lists).Activations;
        Assert.Equal(TrainingMemory.Estimate(model, new ListSize(20, 10, 3)), TrainingMemory.Estimate(model, [first]));
        Assert.Equal(Activations(TinyModel.List(1, 35, 10, 10, 10)), Activations(first, second));
    }

    private static JsonObject Config(string architecture)
    {
        var (width, layers, heads, positions) = architecture == "gpt2"
            ? ("n_embd", "n_layer", "n_head", "n_positions")
            : ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings");
        var settings = new JsonObject
        {
            ["model_type"] = architecture,
            ["vocab_size"] = TinyModel.VocabularySize,
            [width] = 256,
            [layers] = 6,
            [heads] = 8,
            [positions] = 512,
        };
        (string, JsonNode)[] others = architecture switch
        {
            "gpt2" => [],
            "bert" => [("intermediate_size", 1024), ("type_vocab_size", 2), ("hidden_act", "gelu")],
            "gpt_neox" => [("intermediate_size", 1024), ("hidden_act", "gelu")],
            "modernbert" => [("intermediate_size", 384)],
            "deberta-v2" =>
            [
                ("intermediate_size", 1024), ("relative_attention", true), ("position_buckets", 64), ("pos_att_type", "c2p|p2c"),
                ("share_att_key", true), ("position_biased_input", false),
            ],
            "phi3" => [("intermediate_size", 688), ("num_key_value_heads", 4), ("original_max_position_embeddings", 512)],
            "qwen3" => [("intermediate_size", 688), ("num_key_value_heads", 4), ("head_dim", 32)],
            "stablelm" => [("intermediate_size", 688), ("num_key_value_heads", 4), ("use_parallel_residual", true), ("qk_layernorm", true)],
            "phi" => [("intermediate_size", 1024)],
            "nemotron" => [("intermediate_size", 1024), ("num_key_value_heads", 4)],
            "qwen3_moe" =>
            [
                ("intermediate_size", 688), ("num_key_value_heads", 4), ("head_dim", 32), ("num_experts", 8), ("num_experts_per_tok", 2),
                ("moe_intermediate_size", 344), ("mlp_only_layers", new JsonArray(1)),
            ],
            "opt" => [("ffn_dim", 1024), ("word_embed_proj_dim", 256), ("activation_function", "relu")],
            "gemma2" =>
            [
                ("intermediate_size", 688), ("num_key_value_heads", 4), ("head_dim", 32), ("hidden_activation", "gelu_pytorch_tanh"),
                ("sliding_window", 512), ("query_pre_attn_scalar", 32), ("attn_logit_softcapping", 50),
            ],
            _ => [("intermediate_size", 688), ("num_key_value_heads", 4)],
        };
        foreach (var (key, value) in others)
            settings[key] = value;
        return settings;
    }
}
