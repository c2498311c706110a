using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

/// <summary>
/// Published reward models, as tiny checkpoints of their layouts: each is scored as its own code scores it, computed from the states that the
/// reference gives, or refused with the reason.
/// </summary>
[Collection(nameof(RunsAlone))]
public class PublishedLayoutsTests
{
    private const double Tolerance = 2e-5;

    private static readonly string[] attributes = ["helpfulness", "correctness", "coherence", "complexity", "verbosity"];

    private static readonly double[] weights = [0.65, 0.8, 0.45, 0.55, -0.4];

    // Skywork-Reward, GRM's score heads and others: the class of transformers, whose names are those of the reference.
    [Theory]
    [InlineData("llama", "LlamaForSequenceClassification")]
    [InlineData("gemma2", "Gemma2ForSequenceClassification")]
    [InlineData("mistral", "MistralForSequenceClassification")]
    [InlineData("qwen2", "Qwen2ForSequenceClassification")]
    [InlineData("qwen3", "Qwen3ForSequenceClassification")]
    public void Sequence_classification_with_one_label(string name, string architecture)
    {
        using var model = Changed(name, tensors => tensors, config =>
        {
            config["architectures"] = new JsonArray(architecture);
            config["num_labels"] = 1;
            config["id2label"] = new JsonObject { ["0"] = "LABEL_0" };
        });
        AssertRewards(model, HashWeights.Values("score.weight", [1, 32]));
    }

    // Of encoders the head reads the first token through layers of its own, so the reference's rewards are compared.
    [Theory]
    [InlineData("deberta_v2")]
    [InlineData("electra")]
    public void OpenAssistants_encoders(string name)
    {
        using var model = Changed(name, tensors => tensors);
        using var loaded = ScoringModel.Load(model.Directory);
        var found = loaded.Scorer().Score(model.BatchRows()).Select(list => list[0]).ToArray();
        Assert.InRange(Numbers.LargestDifference(model.Expected["batch"]!["rewards"].Deserialize<float[]>()!, found), 0, 1e-5);
    }

    [Fact]
    public void Starling_has_its_base_model_under_another_name()
    {
        using var model = Changed("llama", name => name == "score.weight" ? "v_head.weight" : name.Replace("model.", "transformer."));
        AssertRewards(model, HashWeights.Values("score.weight", [1, 32]));
    }

    [Theory]
    [InlineData("llama", "LlamaRewardModel")]
    [InlineData("mistral", "EurusRewardModel")]
    public void UltraRM_and_Eurus_have_a_regression_head(string name, string architecture)
    {
        using var model = Changed(
            name, tensor => tensor == "score.weight" ? "regression_head.weight" : tensor,
            config => config["architectures"] = new JsonArray(architecture));
        AssertRewards(model, HashWeights.Values("score.weight", [1, 32]));
    }

    [Fact]
    public void OpenAssistants_GPT_NeoX_has_a_head_with_a_bias_at_the_last_token()
    {
        void Configure(JsonObject config)
        {
            config["architectures"] = new JsonArray("GPTNeoXRewardModel");
            config["pooling"] = "last";
        }
        using (var model = Changed("gpt_neox", Rename, Configure, ("out_proj.bias", tensor([0.75f]))))
            AssertRewards(model, HashWeights.Values("score.weight", [1, 32]), bias: 0.75f);

        using var other = Changed("gpt_neox", Rename, config =>
        {
            Configure(config);
            config["model_type"] = "gpt_neox_reward_model";
        });
        var error = Assert.Throws<CheckpointException>(() => ScoringModel.Load(other.Directory));
        Assert.StartsWith("the model_type is gpt_neox_reward_model; expected one of: bert, ", error.Problems[0]);
        Assert.Equal("OpenAssistant's reward models of GPT-NeoX are read where config.json has \"model_type\": \"gpt_neox\".", error.Advice);

        using var mean = Changed("gpt_neox", Rename, config => config["pooling"] = "mean");
        Assert.Equal(
            ["'pooling' is \"mean\"; expected \"last\": a reward is read at the last token of a causal model"],
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(mean.Directory)).Problems);

        static string Rename(string name) => name == "score.weight" ? "out_proj.weight" : name;
    }

    [Fact]
    public void InternLM2_is_told_how_to_become_a_Llama()
    {
        using var model = Changed("llama", name => name == "score.weight" ? "v_head.weight" : name, config => config["model_type"] = "internlm2");
        var error = Assert.Throws<CheckpointException>(() => ScoringModel.Load(model.Directory));
        Assert.StartsWith("the model_type is internlm2; expected one of: bert, ", error.Problems[0]);
        Assert.Equal(
            "InternLM keeps queries, keys and values in one tensor, wqkv, under names of its own. tools/convert2llama.py of its repository "
            + "writes the checkpoint as a Llama; the v_head of InternLM2-Reward is read then.",
            error.Advice);

        // As the tool writes it.
        using var converted = Changed("llama", name => name == "score.weight" ? "v_head.weight" : name, config => config["reward_token_id"] = 90);
        Assert.Equal(
            [
                "'reward_token_id' is 90; expected no such setting: the model's own code puts this token behind every answer; let the chat template "
                    + "end with it, and take the setting out",
            ],
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(converted.Directory)).Problems);
    }

    [Fact]
    public void ArmoRM_is_refused_for_its_gate()
    {
        using var settings = Changed("llama", name => name, config =>
        {
            config["num_objectives"] = 3;
            config["gating_temperature"] = 10;
        });
        Assert.Equal(
            [
                "'gating_temperature' is 10; expected no such setting: objectives that a gate weighs by what the prompt says, as ArmoRM and QRM have "
                    + "them, are not one fixed sum",
                "'num_objectives' is 3; expected no such setting: objectives that a gate weighs by what the prompt says, as ArmoRM and QRM have "
                    + "them, are not one fixed sum",
            ],
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(settings.Directory)).Problems.Order(StringComparer.Ordinal));

        AssertRefused(
            "tensors 'gating.layers.0.weight', 'gating.logit_scale', 'regression_layer.weight' and 1 more are of objectives that a gate weighs by "
            + "what the prompt says, as ArmoRM and QRM have them; expected outputs of which a reward is one fixed sum",
            ("regression_layer.weight", zeros(19, 32)), ("reward_transform_matrix", zeros(19, 19)), ("gating.layers.0.weight", zeros(8, 32)),
            ("gating.logit_scale", zeros(1)));
    }

    [Theory]
    [InlineData("v_head.summary.0", "v_head.summary.2")]
    [InlineData("score.0", "score.2")]
    public void Heads_of_several_layers_are_refused(string first, string second) => AssertRefused(
        $"tensors '{first}.bias', '{first}.weight', '{second}.weight' are of a head of several layers with ReLU between them, as GRM, INF-ORM and "
        + "Qwen2.5-Math-RM have it; expected one linear layer",
        ($"{first}.weight", zeros(16, 32)), ($"{first}.bias", zeros(16)), ($"{second}.weight", zeros(1, 16)));

    [Fact]
    public void GRMs_settings_are_refused_by_name()
    {
        using var model = Changed("llama", name => name, config => config["vhead_layer_type"] = "mlp");
        Assert.Equal(
            ["'vhead_layer_type' is \"mlp\"; expected no such setting: a head of several layers, as GRM has it, is not read"],
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(model.Directory)).Problems);
    }

    [Fact]
    public void Safe_RLHFs_head_is_refused() => AssertRefused(
        "tensors 'normalizer.mean', 'score_head.weight' are of a head of Safe RLHF, whose scores may be divided by running statistics; expected one "
        + "linear layer under a name of another trainer",
        ("score_head.weight", zeros(1, 32)), ("normalizer.mean", zeros(1)));

    [Fact]
    public void PairRMs_head_is_refused() => AssertRefused(
        "tensor 'head_layer.1.weight' is of a head that compares two answers to one prompt, as PairRM has it; expected one that gives an answer by "
        + "itself a reward",
        ("head_layer.1.weight", zeros(32, 64)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Attributes_are_one_reward_by_fixed_weights(bool inConfig)
    {
        var head = HashWeights.Values("score.weight", [5, 32]);
        using var model = WithAttributes(head, config =>
        {
            if (inConfig)
                config[RewardOutputs.WeightsSetting] = new JsonArray([.. weights.Select(weight => (JsonNode)weight)]);
        });
        using var loaded = ScoringModel.Load(model.Directory, outputWeights: inConfig ? null : OutputWeights.Of(weights));
        Assert.Equal(attributes, loaded.Transformer.Outputs.Names);
        Assert.Equal(weights, loaded.Transformer.Outputs.Weights);
        loaded.SetNormalizer(new RewardNormalizer(0.5, 2));

        var rows = model.BatchRows();
        var expected = LastStates(model).Select(state => Enumerable.Range(0, 5).Select(o => Dot(head.AsSpan(32 * o, 32), state)).ToArray()).ToArray();
        var outputs = loaded.Scorer().ScoreOutputs(rows);
        for (var row = 0; row < rows.Count; row++)
            Assert.InRange(Numbers.LargestDifference([.. expected[row].Select(value => (float)value)], outputs[row][0]), 0, Tolerance);
        var rewards = loaded.Scorer().Score(rows);
        for (var row = 0; row < rows.Count; row++)
            Assert.Equal((expected[row].Zip(weights, (output, weight) => output * weight).Sum() - 0.5) / 2, rewards[row][0], Tolerance);
        // One path gives both, to the bit.
        Assert.Equal(rewards, loaded.Scorer().ScoreWithOutputs(rows, null, CancellationToken.None).Rewards);

        using var directory = new TemporaryDirectory();
        loaded.Save(directory.Path);
        Assert.Equal(weights, ModelInspection.Of(directory.Path).Outputs!.Weights);
        var config = JsonNode.Parse(File.ReadAllText(directory["config.json"]))!;
        Assert.Equal(5, (int)config["num_labels"]!);
        Assert.Equal(attributes, config["id2label"]!.AsObject().Select(label => label.Value!.GetValue<string>()));
        Assert.Equal(weights, config[RewardOutputs.WeightsSetting].Deserialize<double[]>());
        using var again = ScoringModel.Load(directory.Path);
        Assert.Equal(rewards, again.Scorer().Score(rows));
        // Others than the saved ones, for this time.
        using var first = ScoringModel.Load(directory.Path, outputWeights: [1, 0, 0, 0, 0]);
        Assert.Equal(outputs.Select(list => (list[0][0] - 0.5f) / 2), first.Scorer().Score(rows).Select(list => list[0]));
        Assert.Equal(
            "A reward of the model is a sum of 5 outputs of its head (reward_output_weights in config.json), which the folded head would not give. "
            + "Normalise where its rewards are used.",
            Assert.Throws<ArgumentException>(() => again.Save(directory["folded"], foldNormalizer: true)).Message);
    }

    [Fact]
    public void Attributes_without_weights_are_named()
    {
        using var model = WithAttributes(HashWeights.Values("score.weight", [5, 32]));
        var error = Assert.Throws<CheckpointException>(() => ScoringModel.Load(model.Directory));
        Assert.Equal(
            [
                "the head 'score.weight' has 5 outputs (helpfulness, correctness, coherence, complexity, verbosity), and a reward is one number; "
                    + "expected \"reward_output_weights\", what each output counts in their sum",
            ],
            error.Problems);
        Assert.Equal(error.Problems, ModelInspection.Of(model.Directory).Problems);
    }

    [Fact]
    public void Outputs_under_another_trainers_name_have_no_bias()
    {
        using var model = Changed(
            "llama", name => name == "score.weight" ? null : name, config => config[RewardOutputs.WeightsSetting] = new JsonArray(1, 2),
            ("v_head.weight", zeros(2, 32)), ("v_head.bias", zeros(2)));
        Assert.Equal(
            [
                "tensor 'v_head.bias' is there, and the head 'v_head.weight' has 2 outputs; expected no bias, which the head of a causal model has in "
                    + "no class of transformers",
            ],
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(model.Directory)).Problems);
    }

    [Fact]
    public void A_bias_counts_as_its_output_does()
    {
        using var model = Changed(
            "llama", name => name == "score.weight" ? "v_head.weight" : name, config => config[RewardOutputs.WeightsSetting] = new JsonArray(-2),
            ("v_head.bias", tensor([0.75f])));
        AssertRewards(model, [.. HashWeights.Values("score.weight", [1, 32]).Select(weight => -2 * weight)], bias: -1.5f);
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("deberta_v2")]
    [InlineData("electra")]
    [InlineData("ernie")]
    [InlineData("gpt2")]
    [InlineData("modernbert")]
    [InlineData("roberta")]
    [InlineData("xlm_roberta")]
    public void Each_output_of_a_head_is_that_of_a_head_with_its_row_alone(string name)
    {
        using var scope = NewDisposeScope();
        using var shapes = ParityModel.Random(name);
        var (weight, bias) = (shapes.Head.OutputWeight, shapes.Head.OutputWeight.Replace(".weight", ".bias"));
        var inputs = shapes.Head.named_parameters().Single(pair => pair.name == weight).parameter.size(1);
        var hasBias = shapes.Head.named_parameters().Any(pair => pair.name == bias);
        var rows = tensor(HashWeights.Values(weight, [3, inputs])).view(3, inputs);
        var biases = tensor([0.5f, -1, 0.25f]);
        (string, Tensor)[] Head(Tensor rows, Tensor biases) => hasBias ? [(weight, rows), (bias, biases)] : [(weight, rows)];
        string? Keep(string tensor) => tensor == weight || tensor == bias ? null : tensor;

        using var model = Changed(
            name, Keep, config => config[RewardOutputs.WeightsSetting] = new JsonArray(1, 1, 1), Head(rows, biases));
        using var loaded = model.Load();
        var lists = model.RankedLists();
        var outputs = new RewardScorer(loaded).ScoreOutputs(lists).SelectMany(list => list).ToArray();
        for (var output = 0; output < 3; output++)
        {
            using var alone = Changed(name, Keep, null, Head(rows.narrow(0, output, 1), biases.narrow(0, output, 1)));
            using var transformer = alone.Load();
            Numbers.AssertEqualButForRounding(
                [.. new RewardScorer(transformer).Score(lists).SelectMany(list => list)], [.. outputs.Select(ofAnswer => ofAnswer[output])],
                Numbers.UnitsOfModels);
        }
    }

    private static ParityModel WithAttributes(float[] head, Action<JsonObject>? change = null) => Changed(
        "llama", name => name == "score.weight" ? null : name, config =>
        {
            config["id2label"] = new JsonObject(attributes.Select((name, i) => KeyValuePair.Create<string, JsonNode?>($"{i}", name)));
            config["label2id"] = new JsonObject(attributes.Select((name, i) => KeyValuePair.Create<string, JsonNode?>(name, i)));
            change?.Invoke(config);
        }, ("score.weight", tensor(head).view(5, 32)));

    private static void AssertRefused(string problem, params (string Name, Tensor Tensor)[] tensors)
    {
        using var model = Changed("llama", name => name == "score.weight" ? null : name, null, tensors);
        Assert.Equal([problem], Assert.Throws<CheckpointException>(() => ScoringModel.Load(model.Directory)).Problems);
    }

    private static void AssertRewards(ParityModel model, float[] head, float bias = 0)
    {
        using var loaded = ScoringModel.Load(model.Directory);
        var expected = LastStates(model).Select(state => (float)(Dot(head, state) + bias)).ToArray();
        Assert.InRange(
            Numbers.LargestDifference(expected, [.. loaded.Scorer().Score(model.BatchRows()).Select(list => list[0])]), 0, Tolerance);
    }

    /// <summary>What the reference gives at the last token of each row of its batch.</summary>
    private static double[][] LastStates(ParityModel model)
    {
        var lengths = model.Expected["batch"]!["lengths"]!.Deserialize<int[]>()!;
        var states = lengths.Select(_ => new double[32]).ToArray();
        foreach (var entry in model.Expected["batch"]!["final_hidden"]!["entries"]!.Deserialize<double[][]>()!)
            if (entry is [var row, var position, var channel, var value] && (int)position == lengths[(int)row] - 1)
                states[(int)row][(int)channel] = value;
        return states;
    }

    private static double Dot(ReadOnlySpan<float> weights, double[] state)
    {
        var sum = 0.0;
        for (var i = 0; i < state.Length; i++)
            sum += weights[i] * state[i];
        return sum;
    }

    /// <summary>A model of the reference with tensors under other names, or without those whose new name is null, and with others.</summary>
    private static ParityModel Changed(
        string name, Func<string, string?> rename, Action<JsonObject>? change = null, params (string Name, Tensor Tensor)[] others)
    {
        using var scope = NewDisposeScope();
        var model = ParityModel.OfRepository(name, change: change);
        var tensors = new List<(string, Tensor)>(others);
        using (var reader = CheckpointReader.Open(model.Directory))
            foreach (var tensor in reader.Names)
                if (rename(tensor) is { } newName)
                    tensors.Add((newName, reader.Read(tensor)));
        CheckpointWriter.Write(model.Directory, tensors);
        return model;
    }
}
