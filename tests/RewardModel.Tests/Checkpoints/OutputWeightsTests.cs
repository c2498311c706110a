using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;

namespace RewardModel.Tests.Checkpoints;

public class OutputWeightsTests
{
    [Theory]
    [InlineData("0.7,0.3", null, new[] { 0.7, 0.3 })]
    [InlineData(" 1 ,-2e-1", null, new[] { 1, -0.2 })]
    [InlineData("5", null, new[] { 5.0 })]
    [InlineData("helpfulness=0.7, verbosity = -0.3", "helpfulness|verbosity", new[] { 0.7, -0.3 })]
    [InlineData("a=b=1,c d=0", "a=b|c d", new[] { 1.0, 0 })]
    public void Weights_are_numbers_with_names_or_without(string text, string? names, double[] weights)
    {
        var found = OutputWeights.Parse(text);
        Assert.Equal(weights, found);
        Assert.Equal(names?.Split('|'), found.Names);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1,,2")]
    [InlineData("1;2")]
    [InlineData("a=1,2")]
    [InlineData("=1")]
    [InlineData("a=1,a=2")]
    [InlineData("a=")]
    [InlineData("1,NaN")]
    [InlineData("a=Infinity")]
    public void Everything_else_is_an_error(string text) => Assert.Equal(
        $"The weights of outputs are '{text}'; expected numbers with commas between them, such as 0.7,0.3, or with names, such as "
        + "helpfulness=0.7,verbosity=-0.3.",
        Assert.Throws<FormatException>(() => OutputWeights.Parse(text)).Message);

    [Fact]
    public void An_array_of_numbers_will_do_and_names_must_differ()
    {
        OutputWeights weights = [1, 0.5];
        Assert.Equal((2, 0.5, (IReadOnlyList<string>?)null), (weights.Count, weights[1], weights.Names));
        Assert.Equal(["a", "b"], OutputWeights.Named(("a", 1), ("b", 2)).Names);
        Assert.Equal(
            "The names of outputs are 'a', 'a'; expected names that differ, none of them empty. (Parameter 'weights')",
            Assert.Throws<ArgumentException>(() => OutputWeights.Named(("a", 1), ("a", 2))).Message);
        Assert.Equal(
            "The weight of the output 'a' is NaN; expected a finite number. (Parameter 'weights')",
            Assert.Throws<ArgumentException>(() => OutputWeights.Named(("a", double.NaN))).Message);
    }

    [Fact]
    public void Names_make_a_new_head_and_name_one_that_has_none()
    {
        var weights = OutputWeights.Named(("good", 1), ("long", -0.5));
        // A new head has an output for each, whatever was said of labels before.
        using var made = RewardTransformer.FromConfig(Config("llama", config => config["num_labels"] = 3).With(weights));
        Assert.Equal(["good", "long"], made.Outputs.Names);
        Assert.Equal([1, -0.5], made.Outputs.Weights);

        var named = Config("llama", config => config["id2label"] = new JsonObject { ["0"] = "LABEL_0", ["1"] = "LABEL_1" }).With(weights);
        Assert.Equal("""{"0":"good","1":"long"}""", named.Json["id2label"]!.ToJsonString());
        Assert.Equal("""{"good":0,"long":1}""", named.Json["label2id"]!.ToJsonString());
    }

    [Fact]
    public void Names_that_a_head_has_are_weighed_in_its_order_and_others_are_refused()
    {
        var config = Config("llama", json => json["id2label"] = new JsonObject { ["0"] = "good", ["1"] = "short", ["2"] = "long" });
        Assert.Equal([0.25, 0, -1], Weights(config.With(OutputWeights.Named(("long", -1), ("good", 0.25)))));
        Assert.Equal([1, 2, 3], Weights(config.With([1, 2, 3])));
        var error = Assert.Throws<CheckpointException>(() => config.With(OutputWeights.Named(("kind", 1), ("good", 1))));
        Assert.Equal(["weights are given for 'kind'; expected some of the outputs' names (good, short, long)"], error.Problems);

        static double[] Weights(HuggingFaceConfig config) => config.Json[RewardOutputs.WeightsSetting].Deserialize<double[]>()!;
    }

    private static HuggingFaceConfig Config(string architecture, Action<JsonObject> change)
    {
        var json = TinyModel.Config(architecture);
        change(json);
        return HuggingFaceConfig.Parse(json.ToJsonString(), "config.json");
    }
}
