using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Tests.Checkpoints;

[Collection(nameof(RunsAlone))]
public class ForeignHeadTests
{
    [Theory]
    [InlineData("v_head.weight")]
    [InlineData("v_head.summary.weight")]
    [InlineData("value_head.weight")]
    public void The_weight_is_found_under_other_trainers_names(string name)
    {
        using var model = Model(weight: name);
        Assert.Equal(Rewards("score.weight"), Score(model));
    }

    [Fact]
    public void The_weight_is_found_in_a_file_of_its_own()
    {
        using var model = Model(weight: null);
        using (var reader = CheckpointReader.Open(model.Directory))
        using (var head = zeros(1, 32))
            SafetensorsWriter.Write(
                Path.Combine(model.Directory, "value_head.safetensors"),
                [new("v_head.summary.weight", SafetensorsType.F32, head.shape, stream => TensorBytes.Write(head, stream))]);
        Assert.All(Score(model), reward => Assert.Equal(0, reward));
    }

    [Fact]
    public void The_configuration_can_name_the_weight()
    {
        using var model = Model(weight: "reward_layer.weight", change: config => config["value_head_prefix"] = "reward_layer");
        Assert.Equal(Rewards("score.weight"), Score(model));
    }

    [Fact]
    public void A_bias_and_the_mean_and_deviation_of_the_configuration_become_the_normalizer()
    {
        var raw = Rewards("score.weight");
        using var model = Model("v_head.summary.weight", bias: 0.75f, change: config =>
        {
            config["mean"] = 0.25;
            config["std"] = 4;
            config["normalize_reward"] = false;
            config["problem_type"] = "regression";
        });
        Assert.Equal(raw.Select(reward => (float)((reward + 0.5) / 4)), Score(model));
        // The transformer alone, which training works on, gives raw rewards.
        using (var transformer = model.Load())
            Assert.Equal(raw, new RewardScorer(transformer).Score(model.RankedLists()).SelectMany(list => list));

        using var directory = new Tests.TemporaryDirectory();
        using (var loaded = ScoringModel.Load(model.Directory))
        {
            Assert.Equal(new RewardNormalizer(-0.5, 4), loaded.Rule.Normalizer);
            loaded.Save(directory.Path);
        }
        var saved = JsonNode.Parse(File.ReadAllText(directory["config.json"]))!.AsObject();
        Assert.DoesNotContain(saved, setting => setting.Key is "mean" or "std" or "normalize_reward" or "problem_type");
        using var again = ScoringModel.Load(directory.Path);
        Assert.Equal(Score(model), again.Scorer().Score(model.RankedLists()).SelectMany(list => list));
    }

    [Fact]
    public void Everything_wrong_with_heads_is_told_at_once()
    {
        using var model = Model("v_head.weight", bias: 1, change: null, ("value_head.weight", zeros(2, 32)), ("v_head.bias", zeros(2)));
        Assert.Equal(
            [
                "there are 2 heads: 'v_head.weight' [1, 32], 'value_head.weight' [2, 32]; expected one",
                "tensor 'v_head.bias' has shape [2]; expected [1]",
            ],
            Assert.Throws<CheckpointException>(model.Load).Problems);
    }

    [Fact]
    public void A_head_with_several_outputs_is_refused_where_nothing_says_what_they_make_together()
    {
        using var model = Model(null, 0, null, ("score.weight", zeros(3, 32)));
        Assert.Equal(
            [
                "the head 'score.weight' has 3 outputs (LABEL_0, LABEL_1, LABEL_2), and a reward is one number; expected "
                    + "\"reward_output_weights\", what each output counts in their sum",
            ],
            Assert.Throws<CheckpointException>(model.Load).Problems);
    }

    [Fact]
    public void Quantized_weights_are_refused()
    {
        using var model = Model("score.weight", 0, null, ("model.norm.weight", zeros([32], ScalarType.Int8)));
        Assert.Equal(
            ["tensor 'model.norm.weight' has the type I8; expected F64, F32, F16 or BF16"],
            Assert.Throws<CheckpointException>(model.Load).Problems);
    }

    [Fact]
    public void Wrong_settings_are_told_at_once()
    {
        using var model = Model("score.weight", change: config =>
        {
            config["value_head_prefix"] = 3;
            config["mean"] = "high";
            config["std"] = 0;
        });
        Assert.Equal(
            [
                "'value_head_prefix' is 3; expected a string", "'mean' is \"high\"; expected a number",
                "'std' is 0; expected a number from 1E-30 to 1E+30",
            ],
            Assert.Throws<CheckpointException>(model.Load).Problems);
    }

    [Fact]
    public void Two_normalizers_are_one_too_many()
    {
        using var model = Model("v_head.weight", bias: 1);
        new ScoringRule(SpecialTokenRule.None, 8).Write(model.Directory);
        Assert.Equal(
            $"{model.Directory}: there is a reward_model.json, and also a head with a bias or with 'mean' and 'std' in config.json; "
            + "expected one of them. Remove reward_model.json where the weights are another trainer's.",
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(model.Directory)).Message);
    }

    /// <summary>A tiny Llama whose head has another name, or none, and a bias unless that is 0.</summary>
    private static ParityModel Model(
        string? weight, float bias = 0, Action<JsonObject>? change = null, params (string Name, Tensor Tensor)[] others)
    {
        using var scope = NewDisposeScope();
        var model = ParityModel.OfRepository("llama", change: change);
        var tensors = new Dictionary<string, Tensor>();
        using (var reader = CheckpointReader.Open(model.Directory))
            foreach (var name in reader.Names)
                if ((name == "score.weight" ? weight : name) is { } newName)
                    tensors[newName] = reader.Read(name);
        if (bias != 0)
            tensors[weight!.Replace(".weight", ".bias", StringComparison.Ordinal)] = tensor([bias]);
        foreach (var (name, other) in others)
            tensors[name] = other;
        CheckpointWriter.Write(model.Directory, [.. tensors.Select(pair => (pair.Key, pair.Value))]);
        return model;
    }

    private static float[] Rewards(string weight)
    {
        using var model = Model(weight);
        return Score(model);
    }

    private static float[] Score(ParityModel model)
    {
        using var loaded = ScoringModel.Load(model.Directory);
        return [.. loaded.Scorer().Score(model.RankedLists()).SelectMany(list => list)];
    }
}
