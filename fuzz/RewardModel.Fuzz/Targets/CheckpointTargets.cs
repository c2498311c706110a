using System.Text;
using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Seeds;
using RewardModel.Scoring;
using RewardModel.Training.Planning;

namespace RewardModel.Fuzz.Targets;

/// <summary>What a model's directory holds beside its tokenizer.</summary>
internal static class CheckpointTargets
{
    // Above these a model takes time, and reads nothing that a smaller one doesn't.
    private const int MaxSize = 256, MaxLayers = 4;

    private static readonly Dictionary<string, Action<ConfigReader>> configs = new()
    {
        ["bert"] = reader => BertConfig.Read(reader),
        ["bloom"] = reader => BloomConfig.Read(reader),
        ["deberta-v2"] = reader => DebertaV2Config.Read(reader),
        ["electra"] = reader => ElectraConfig.Read(reader),
        ["ernie"] = reader => ErnieConfig.Read(reader),
        ["falcon"] = reader => FalconConfig.Read(reader),
        ["gemma2"] = reader => Gemma2Config.Read(reader),
        ["gemma3_text"] = reader => Gemma3TextConfig.Read(reader),
        ["glm"] = reader => GlmConfig.Read(reader),
        ["glm4"] = reader => Glm4Config.Read(reader),
        ["gpt2"] = reader => Gpt2Config.Read(reader),
        ["gpt_neox"] = reader => GptNeoXConfig.Read(reader),
        ["gptj"] = reader => GptJConfig.Read(reader),
        ["gpt_oss"] = reader => GptOssConfig.Read(reader),
        ["llama"] = reader => LlamaConfig.Read(reader),
        ["mistral"] = reader => MistralConfig.Read(reader),
        ["mixtral"] = reader => MixtralConfig.Read(reader),
        ["modernbert"] = reader => ModernBertConfig.Read(reader),
        ["nemotron"] = reader => NemotronConfig.Read(reader),
        ["olmo2"] = reader => Olmo2Config.Read(reader),
        ["olmo3"] = reader => Olmo3Config.Read(reader),
        ["opt"] = reader => OptConfig.Read(reader),
        ["phi"] = reader => PhiConfig.Read(reader),
        ["phi3"] = reader => Phi3Config.Read(reader),
        ["qwen2"] = reader => Qwen2Config.Read(reader),
        ["qwen2_moe"] = reader => Qwen2MoeConfig.Read(reader),
        ["qwen3"] = reader => Qwen3Config.Read(reader),
        ["qwen3_moe"] = reader => Qwen3MoeConfig.Read(reader),
        ["roberta"] = reader => RobertaConfig.Read(reader),
        ["smollm3"] = reader => SmolLm3Config.Read(reader),
        ["stablelm"] = reader => StableLmConfig.Read(reader),
        ["starcoder2"] = reader => Starcoder2Config.Read(reader),
        ["xlm-roberta"] = reader => RobertaConfig.Read(reader),
    };

    private static readonly JsonMutation configMutation = new(
        [.. SeedText.WordsOf(ConfigSeeds.Models), "proportional", "default", "partial_rotary_factor", "use_cache", "dtype", "num_labels", "relu", "swish"]);

    /// <summary>The targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("safetensors", TensorSeeds.Files, new MixedMutation(new SafetensorsMutation(TensorSeeds.Words)), ReadTensors, typeof(CheckpointException)),
        new("safetensors-index",
            [.. SeedText.Of(TensorSeeds.Indices).Select(index => InputParts.Join(index, TensorSeeds.Files[0], TensorSeeds.Files[1]))],
            new PartMutation(
                new MixedMutation(new JsonMutation([.. SeedText.WordsOf(TensorSeeds.Indices), "model.safetensors.index.json", "..", "a/b"])),
                new SafetensorsMutation(TensorSeeds.Words), new SafetensorsMutation(TensorSeeds.Words)),
            ReadIndex, typeof(CheckpointException)),
        new("config", SeedText.Of(ConfigSeeds.Models), new MixedMutation(configMutation), ReadConfig, typeof(CheckpointException)),
        new("config-model", SeedText.Of(ConfigSeeds.Models), configMutation, MakeModel, typeof(CheckpointException)),
        new("adapter-config", SeedText.Of(ConfigSeeds.Adapters),
            new MixedMutation(new JsonMutation([.. SeedText.WordsOf(ConfigSeeds.Adapters), "corda", "pissa", "olora", "loftq", "(a|aa)+$", "IA3"])),
            ReadAdapterConfig, typeof(CheckpointException)),
        new("scoring-rule", SeedText.Of(ConfigSeeds.Rules), new MixedMutation(new JsonMutation([.. SeedText.WordsOf(ConfigSeeds.Rules), "int8", "bfloat16"])),
            ReadRule, typeof(CheckpointException)),
        new("measured-figures", SeedText.Of(ConfigSeeds.Measured),
            new MixedMutation(new JsonMutation([.. SeedText.WordsOf(ConfigSeeds.Measured), "exponential"])),
            ReadMeasured, typeof(CheckpointException), typeof(IOException)),
    ];

    private static void ReadTensors(byte[] input, string folder)
    {
        var path = Path.Combine(folder, CheckpointLayout.SingleFile);
        File.WriteAllBytes(path, input);
        using var file = SafetensorsFile.Open(path);
        foreach (var entry in file.Entries)
            file.Read(entry, 0, new byte[Math.Min(entry.Length, FuzzTarget.MaxInputBytes)]);
        ReadCheckpoint(folder);
    }

    private static void ReadIndex(byte[] input, string folder)
    {
        var parts = InputParts.Split(input, 3);
        TargetFolder.Write(
            folder, (CheckpointLayout.IndexFile, parts[0]), (CheckpointLayout.ShardFile(1, 2), parts[1]), (CheckpointLayout.ShardFile(2, 2), parts[2]));
        ReadCheckpoint(folder);
    }

    private static void ReadCheckpoint(string folder)
    {
        using var reader = CheckpointReader.Open(folder);
        foreach (var name in reader.Names)
        {
            using var values = reader.Read(name);
            using var floats = reader.Read(name, TorchSharp.torch.ScalarType.Float32);
        }
    }

    private static void ReadConfig(byte[] input, string folder)
    {
        TargetFolder.Write(folder, (HuggingFaceConfig.FileName, input));
        var config = HuggingFaceConfig.Read(folder);
        Quantization.Check(config);
        var reader = config.Reader();
        if (configs.TryGetValue(reader.Text("model_type", "missing"), out var read))
            read(reader);
    }

    private static void MakeModel(byte[] input, string folder)
    {
        var config = HuggingFaceConfig.Parse(Encoding.UTF8.GetString(input), HuggingFaceConfig.FileName);
        if (!IsSmall(config.Json))
            return;
        using var model = RewardTransformer.WithoutWeights(config);
        ModelShape.Of(model);
    }

    private static bool IsSmall(JsonNode? node, string name = "") => node switch
    {
        JsonObject members => members.All(member => IsSmall(member.Value, member.Key)),
        JsonArray items => items.All(item => IsSmall(item, name)),
        JsonValue value => !value.TryGetValue<double>(out var number) || Math.Abs(number) <= (name is "num_hidden_layers" or "n_layer" ? MaxLayers : MaxSize)
            || name.Contains("theta", StringComparison.Ordinal) || name.EndsWith("base", StringComparison.Ordinal),
        _ => true,
    };

    private static void ReadAdapterConfig(byte[] input, string folder)
    {
        TargetFolder.Write(folder, (CheckpointLayout.AdapterConfigFile, input));
        var config = AdapterConfig.Read(folder);
        foreach (var module in new[] { "model.layers.0.self_attn.q_proj", "score", "h.11.attn.c_attn" })
            if (config.IsTarget(module))
                _ = (config.RankOf(module), config.AlphaOf(module));
    }

    private static void ReadRule(byte[] input, string folder)
    {
        TargetFolder.Write(folder, (ScoringRule.FileName, input));
        _ = ScoringRule.Read(folder);
    }

    private static void ReadMeasured(byte[] input, string folder)
    {
        TargetFolder.Write(folder, ("measured.json", input));
        Measured.Read(Path.Combine(folder, "measured.json"));
    }
}
