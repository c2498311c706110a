using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Backbones;

/// <summary>Every number of every architecture's config.json, replaced by what no number of a model is.</summary>
public sealed class HostileSettingsTests
{
    private const string Directory = "config.json";

    private static readonly string[] hostile =
        ["-1", "0", "\"NaN\"", "1e308", "-1e308", "1e-320", "1e99999999999", "2147483647", "9223372036854775808", "\"x\"", "null", "[]", "{}", "true"];

    // Of no parity model's file, as they stand for their defaults there.
    private static readonly string[] optional =
    [
        "initializer_range", "initializer_cutoff_factor", "init_std", "head_dim", "num_key_value_heads", "sliding_window", "rope_theta",
        "partial_rotary_factor", "position_buckets", "max_relative_positions", "conv_kernel_size", "type_vocab_size", "n_inner",
        "max_window_layers", "local_attention", "query_pre_attn_scalar", "attn_logit_softcapping", "layerdrop", "num_labels",
    ];

    private static readonly string[] hostileToAbsent = ["-1", "0", "1e308", "2147483647"];

    // One of each architecture, and of each way to scale rotary angles.
    public static TheoryData<string> Models =>
    [
        "bert", "bloom", "deberta_v2", "electra", "ernie", "falcon", "falcon_40b_style", "gemma2", "gemma3_text", "glm", "glm4", "gpt2",
        "gpt_neox", "gpt_oss", "gptj", "llama", "llama_rope_llama3", "llama_rope_yarn", "mistral", "mixtral", "modernbert", "nemotron",
        "olmo2", "olmo3", "opt", "phi", "phi3_partial_longrope", "phi_norms", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "roberta",
        "smollm3", "smollm3_window", "stablelm", "stablelm_12b_style", "starcoder2", "xlm_roberta",
    ];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_number_that_no_model_has_is_refused_or_computed_with(string name)
    {
        using var model = ParityModel.OfRepository(name);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(model.Directory, Directory)))!.AsObject();
        var (refused, computed) = (0, 0);
        var allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        var present = NumbersOf(config).ToArray();
        var absent = optional.Where(key => !config.ContainsKey(key)).Select(key => (string[])[key]);
        foreach (var path in present.Concat(absent))
            foreach (var value in present.Contains(path) ? hostile : hostileToAbsent)
            {
                var changed = config.DeepClone().AsObject();
                Set(changed, path, JsonNode.Parse(value));
                try
                {
                    AssertFinite(changed, $"{string.Join('.', path)}: {value}");
                    computed++;
                }
                catch (CheckpointException e)
                {
                    Assert.DoesNotContain("System.", e.Message, StringComparison.Ordinal);
                    refused++;
                }
            }
        Assert.True(refused > 50, $"{refused} refused and {computed} computed");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocatedBefore, 0, 1_000_000_000);
    }

    [Theory]
    [InlineData("num_hidden_layers", "2147483647", "'num_hidden_layers' is 2147483647; expected at most 10000")]
    [InlineData("num_hidden_layers", "0", "'num_hidden_layers' is 0; expected at least 1")]
    [InlineData("vocab_size", "2147483647", "'vocab_size' is 2147483647; expected at most 67108864")]
    [InlineData("rms_norm_eps", "0", "'rms_norm_eps' is 0; expected a number from 1E-30 to 1")]
    [InlineData("rms_norm_eps", "1e308", "'rms_norm_eps' is 1e308; expected a number from 1E-30 to 1")]
    [InlineData("initializer_range", "-1", "'initializer_range' is -1; expected a number from 0 to 10")]
    [InlineData("rope_theta", "0", "'rope_theta' is 0; expected a number from 1.5 to 1000000000000000")]
    [InlineData("num_hidden_layers", "1e999", "'num_hidden_layers' is 1e999; expected a 32-bit whole number")]
    public void A_refused_number_is_named_with_what_was_expected(string key, string value, string expected)
    {
        var config = TinyModel.Config("llama");
        config[key] = JsonNode.Parse(value);
        var error = Assert.Throws<CheckpointException>(() => Backbone.Describe(Parse(config)));
        Assert.Equal([expected], error.Problems);
    }

    [Fact]
    public void All_wrong_numbers_are_named_at_once()
    {
        var config = TinyModel.Config("llama");
        config["num_hidden_layers"] = 1_000_000;
        config["rms_norm_eps"] = -1;
        config["vocab_size"] = "x";
        Assert.Equal(
            [
                "'vocab_size' is \"x\"; expected a 32-bit whole number", "'num_hidden_layers' is 1000000; expected at most 10000",
                "'rms_norm_eps' is -1; expected a number from 1E-30 to 1",
            ],
            Assert.Throws<CheckpointException>(() => Backbone.Describe(Parse(config))).Problems);
    }

    [Theory]
    [InlineData("num_hidden_layers", 9000, "the settings describe 9000 layers, and matrices of 41473464 numbers;")]
    [InlineData("intermediate_size", 400_000, "the settings describe 2 layers, and matrices of 57604920 numbers;")]
    public void Weights_that_the_files_cannot_hold_are_refused_before_the_model_is_made(string key, int value, string expected)
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create()))
            model.Save(directory.Path);
        var file = Path.Combine(directory.Path, Directory);
        var config = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        config[key] = value;
        File.WriteAllText(file, config.ToJsonString());

        var error = Assert.Throws<CheckpointException>(() => RewardTransformer.Load(directory.Path));
        Assert.Equal($"{expected} the weights in '{directory.Path}' are tensors of 2 layers, and 10824 numbers", error.Problems[0]);
        Assert.Equal("Use the config.json that belongs to these weights.", error.Advice);
        Assert.Equal(error.Problems, ModelInspection.Of(directory.Path).Problems);
    }

    [Theory]
    [InlineData("3", "the model_type is 3; expected one of: ")]
    [InlineData("[\"llama\"]", "the model_type is [\"llama\"]; expected one of: ")]
    [InlineData("null", "the model_type is missing; expected one of: ")]
    public void A_model_type_of_another_type_is_refused(string value, string expected)
    {
        var config = TinyModel.Config("llama");
        config["model_type"] = JsonNode.Parse(value);
        var error = Assert.Throws<CheckpointException>(() => RewardTransformer.FromConfig(Parse(config)));
        Assert.StartsWith(expected, error.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model_type")]
    [InlineData("hidden_act")]
    [InlineData("vocab_size")]
    [InlineData("what_is_this")]
    public void Long_values_are_cut_in_messages(string key)
    {
        var config = TinyModel.Config("llama");
        config[key] = new string('x', 100_000);
        Assert.InRange(Assert.Throws<CheckpointException>(() => Backbone.Describe(Parse(config))).Message.Length, 100, 1000);
    }

    [Fact]
    public void Half_a_character_in_a_string_is_refused() => Assert.Equal(
        ["the file has 1 escape such as \\ud800 of half a character; expected whole characters"],
        Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Parse("""{"model_type": "\udc00"}""", Directory)).Problems);

    [Fact]
    public void Deep_JSON_is_refused() => Assert.StartsWith(
        "the file is not JSON: ",
        Assert.Throws<CheckpointException>(
            () => HuggingFaceConfig.Parse($$"""{"a": {{new string('[', 100_000)}}{{new string(']', 100_000)}}}""", Directory)).Problems[0],
        StringComparison.Ordinal);

    private static void AssertFinite(JsonObject config, string what)
    {
        using var model = RewardTransformer.FromConfig(Parse(config), seed: 1);
        var list = new TokenizedList([3, 4, 5], [[6, 7], [8]], [1, 0]);
        Assert.True(
            new RewardScorer(model).Score([list])[0].All(float.IsFinite), $"{what} is taken, and its rewards are not finite");
    }

    private static HuggingFaceConfig Parse(JsonObject config) => HuggingFaceConfig.Parse(config.ToJsonString(), Directory);

    private static IEnumerable<string[]> NumbersOf(JsonObject settings)
    {
        foreach (var (key, value) in settings)
            if (value is JsonObject inner)
                foreach (var path in NumbersOf(inner))
                    yield return [key, .. path];
            else if (value?.GetValueKind() == System.Text.Json.JsonValueKind.Number || value is null)
                yield return [key];
    }

    private static void Set(JsonObject settings, string[] path, JsonNode? value)
    {
        foreach (var key in path[..^1])
            settings = settings[key]!.AsObject();
        settings[path[^1]] = value;
    }
}
