using System.Text.Json;

namespace RewardModel.Tests.Parity;

public class HashWeightsTests
{
    public static TheoryData<string> Fixtures =>
        new(Directory.GetFiles(Path.Combine(Shared.RepositoryRoot, "tests", "RewardModel.Tests", "Parity"), "*.json")
            .Select(file => Path.GetFileName(file)));

    [Theory]
    [InlineData("transformer.wte.weight", new long[] { 97, 32 }, -0.12978005f, 0.1659739f, 0.03232646f, 0.2403009f)]
    [InlineData("model.layers.0.self_attn.q_proj.weight", new long[] { 48, 32 }, -0.040349245f, -0.21652961f, 0.2462337f, 0.04838395f)]
    [InlineData("model.layers.1.post_attention_layernorm.weight", new long[] { 32 }, 1.0165726f, 1.0767337f, 0.8967751f, 1.0149704f)]
    [InlineData("transformer.h.0.attn.c_attn.bias", new long[] { 96 }, -0.033664346f, -0.08395922f, -0.020485997f, 0.03940165f)]
    [InlineData("deberta.encoder.conv.conv.weight", new long[] { 24, 24, 3 }, -0.19099545f, 0.20875669f, -0.13841462f, -0.19510388f)]
    [InlineData("score.weight", new long[] { 1, 32 }, 0.13257146f, -0.05486369f, -0.09535384f, 0.10927606f)]
    public void Values_are_those_of_make_parity(string name, long[] shape, float first, float second, float middle, float last)
    {
        var values = HashWeights.Values(name, shape);

        Assert.Equal(shape.Aggregate((product, size) => product * size), values.Length);
        Assert.Equal([first, second, middle, last], [values[0], values[1], values[values.Length / 2], values[^1]]);
    }

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Every_parameter_of_a_fixture_has_values_around_its_center_and_none_on_it(string fixture)
    {
        var path = Path.Combine(Shared.RepositoryRoot, "tests", "RewardModel.Tests", "Parity", fixture);
        using var json = JsonDocument.Parse(File.ReadAllText(path));

        foreach (var parameter in json.RootElement.GetProperty("parameters").EnumerateObject())
        {
            var shape = parameter.Value.EnumerateArray().Select(size => size.GetInt64()).ToArray();
            var isNorm = shape.Length == 1 && parameter.Name.EndsWith("weight", StringComparison.Ordinal);
            var (center, radius) = (parameter.Name.Split('.')[^1], shape.Length) switch
            {
                ("sinks", 1) or ("gate_up_proj", 3) => (0f, 1f),
                ("down_proj", 3) or ("gate_up_proj_bias" or "down_proj_bias", 2) => (0f, 0.125f),
                _ => isNorm ? (1f, 0.125f) : shape.Length == 1 ? (0f, 0.125f) : (0f, 0.25f),
            };

            Assert.All(HashWeights.Values(parameter.Name, shape), value => Assert.InRange(Math.Abs(value - center), 1e-9f, radius));
        }
    }

    [Theory]
    [InlineData("model.rotary.inv_freq", new long[] { 6 }, "[6]")]
    [InlineData("conv.weight", new long[] { 4, 4, 3, 3 }, "[4, 4, 3, 3]")]
    [InlineData("attn.bias", new long[] { 1, 1, 8, 8 }, "[1, 1, 8, 8]")]
    public void A_tensor_that_the_rule_does_not_cover_is_an_error(string name, long[] shape, string shown)
    {
        var error = Assert.Throws<ArgumentException>(() => HashWeights.Values(name, shape));

        Assert.Equal(
            $"tensor '{name}' has shape {shown}, but the rule covers only '*.bias' with 1 dimension, '*.weight' with 1 to 3, sinks and experts: " +
            "add a line for it to HashWeights.cs, make_parity.py and README.md",
            error.Message);
    }
}
