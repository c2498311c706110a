using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public class RewardOutputsTests
{
    private const string Advice =
        "Write \"reward_output_weights\": [...] into config.json, 3 numbers in the order of the outputs, or give them as --output-weights. A 1 "
        + "and zeros otherwise take one output alone.";

    [Theory]
    [InlineData("{}", 1)]
    [InlineData("""{"num_labels": 1, "id2label": {"0": "quality"}}""", 1)]
    [InlineData("{}", null)]
    // A language model's own labels say nothing of the head that it gets.
    [InlineData("""{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}""", null)]
    public void One_output_is_the_reward(string config, int? count)
    {
        var outputs = Read(config, count);
        Assert.Equal(["LABEL_0"], outputs.Names);
        Assert.Equal([1], outputs.Weights);
        Assert.Equal(2.5f, outputs.RewardOf([2.5f]));
    }

    [Fact]
    public void Several_outputs_have_names_and_weights()
    {
        var outputs = Read(
            """{"num_labels": 3, "id2label": {"2": "c", "0": "a", "1": "b"}, "reward_output_weights": [0.5, -2, 0]}""", 3);
        Assert.Equal(["a", "b", "c"], outputs.Names);
        Assert.Equal([0.5, -2, 0], outputs.Weights);
        Assert.Equal(0.5f * 3 - 2 * 1.25f, outputs.RewardOf([3, 1.25f, 100]));
    }

    [Theory]
    [InlineData("""{"0": "a", "1": "b"}""", "a b LABEL_2")]
    [InlineData("""{"0": "a", "1": "a", "2": "c"}""", "LABEL_0 LABEL_1 LABEL_2")]
    [InlineData("""{"0": 1, "1": 2, "2": 3}""", "LABEL_0 LABEL_1 LABEL_2")]
    [InlineData("[]", "LABEL_0 LABEL_1 LABEL_2")]
    public void Names_that_are_not_there_or_not_distinct_are_numbered(string labels, string expected) =>
        Assert.Equal(expected.Split(' '), Read($$"""{"id2label": {{labels}}, "reward_output_weights": [1, 1, 1]}""", 3).Names);

    [Fact]
    public void One_output_may_count_as_its_opposite() => Assert.Equal(-3, Read("""{"reward_output_weights": [-1]}""", 1).RewardOf([3]));

    [Theory]
    [InlineData("""{"num_labels": 3, "id2label": {"0": "help", "1": "truth", "2": "length"}}""", 3, " (help, truth, length)")]
    [InlineData("""{"id2label": {"0": "help", "1": "truth", "2": "length"}}""", 3, " (help, truth, length)")]
    [InlineData("{}", 3, " (LABEL_0, LABEL_1, LABEL_2)")]
    public void Several_outputs_without_weights_are_named_with_what_to_do(string config, int? count, string names)
    {
        var error = Assert.Throws<CheckpointException>(() => Read(config, count));
        Assert.Equal(
            [
                $"the head 'score.weight' has 3 outputs{names}, and a reward is one number; expected \"reward_output_weights\", what each output "
                    + "counts in their sum",
            ],
            error.Problems);
        Assert.Equal(Advice, error.Advice);
    }

    [Fact]
    public void Several_labels_without_a_head_are_told_as_what_they_are()
    {
        var error = Assert.Throws<CheckpointException>(() => Read("""{"num_labels": 3}""", null));
        Assert.Equal(
            [
                "num_labels is 3 (LABEL_0, LABEL_1, LABEL_2), so that a new head would have as many outputs, and a reward is one number; expected "
                    + "\"reward_output_weights\", what each output counts in their sum",
            ],
            error.Problems);
        Assert.StartsWith("Remove num_labels for a head of one output. Or write ", error.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"num_labels": 2}""", 3, "num_labels is 2; expected 3, the outputs of the head 'score.weight'")]
    [InlineData("""{"num_labels": 2, "reward_output_weights": [1, 1, 1]}""", null, "num_labels is 2; expected 3, as reward_output_weights has")]
    [InlineData("""{"reward_output_weights": [1, 1]}""", 3,
        "reward_output_weights has 2 numbers; expected 3, one for each output of the head 'score.weight' (LABEL_0, LABEL_1, LABEL_2)")]
    [InlineData("""{"reward_output_weights": [1, 1]}""", 1,
        "reward_output_weights has 2 numbers; expected 1, one for each output of the head 'score.weight'")]
    [InlineData("""{"reward_output_weights": []}""", null,
        "reward_output_weights has 0 numbers; expected 1, one for each output of the head 'score.weight'")]
    [InlineData("""{"reward_output_weights": [0, 0]}""", 2, "reward_output_weights is [0,0]; expected numbers from -1E+30 to 1E+30, not all of them 0")]
    [InlineData("""{"reward_output_weights": [1, 1e40]}""", 2,
        "reward_output_weights is [1,1e40]; expected numbers from -1E+30 to 1E+30, not all of them 0")]
    [InlineData("""{"reward_output_weights": "1,1"}""", 2, "'reward_output_weights' is \"1,1\"; expected a list of numbers")]
    [InlineData("""{"reward_output_weights": [1, null]}""", 2, "'reward_output_weights' is [1,null]; expected a list of numbers")]
    [InlineData("""{"num_labels": 0}""", null, "'num_labels' is 0; expected at least 1")]
    [InlineData("""{"num_labels": "three"}""", null, "'num_labels' is \"three\"; expected a 32-bit whole number")]
    public void Wrong_settings_are_told(string config, int? count, string expected) =>
        Assert.Equal([expected], Assert.Throws<CheckpointException>(() => Read(config, count)).Problems);

    [Fact]
    public void A_great_many_outputs_are_named_in_part() => Assert.Contains(
        "LABEL_18, LABEL_19 and 31980 more), and a reward is one number",
        Assert.Throws<CheckpointException>(() => Read("{}", 32000)).Problems[0], StringComparison.Ordinal);

    [Fact]
    public void They_are_written_as_they_are_read()
    {
        var config = HuggingFaceConfig.Parse("""{"id2label": {"0": "a", "1": "b"}, "reward_output_weights": [0.1, 1e-7]}""", "config.json");
        RewardOutputs.Read(config, "score.weight", 2).Write(config);
        Assert.Equal(
            """{"id2label":{"0":"a","1":"b"},"reward_output_weights":[0.1,1E-07],"num_labels":2,"label2id":{"a":0,"b":1}}""",
            config.Json.ToJsonString());
        Assert.Equal([0.1, 1e-7], RewardOutputs.Read(HuggingFaceConfig.Parse(config.Json.ToJsonString(), "config.json"), "x", null).Weights);
    }

    private static RewardOutputs Read(string config, int? count) =>
        RewardOutputs.Read(HuggingFaceConfig.Parse(config, "config.json"), "score.weight", count);
}
