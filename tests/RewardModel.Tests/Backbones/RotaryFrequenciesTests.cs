using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Layers;

namespace RewardModel.Tests.Backbones;

/// <summary>
/// Frequencies and scalings of transformers 5.12.1 for heads of 16 channels and 256 positions, to the digits that float32 has.
/// </summary>
public class RotaryFrequenciesTests
{
    private const int headSize = 16, positions = 256;

    private static readonly double[] plain = [1, 0.31622776, 0.1, 0.03162278, 0.01, 0.0031622779, 0.001, 0.0003162278];

    private static readonly RotarySpelling gptNeoX = new() { BaseKey = "rotary_emb_base", ShareKey = "rotary_pct", AbsentShare = 0.25 };

    public static TheoryData<string, double[], double> Scalings => new()
    {
        { """{"rope_type": "default"}""", plain, 1 },
        { """{"rope_type": "dynamic", "factor": 3.0}""", plain, 1 },
        {
            """{"rope_type": "linear", "factor": 3.0}""",
            [0.33333334, 0.10540926, 0.033333335, 0.010540926, 0.0033333332, 0.0010540927, 0.00033333336, 0.000105409265], 1
        },
        {
            """
            {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
            """,
            [1, 0.24438459, 0.013042256, 0.0039528473, 0.00125, 0.00039528473, 0.000125, 3.9528473e-05], 1
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}""",
            [1, 0.23717082, 0.049999997, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.138629436111989
        },
        {
            """{"rope_type": "yarn", "factor": 4.0}""",
            [1, 0.25693506, 0.0625, 0.013834965, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.138629436111989
        },
        {
            """{"rope_type": "yarn", "factor": null, "original_max_position_embeddings": 128}""",
            [1, 0.26352313, 0.06666666, 0.01581139, 0.005, 0.0015811389, 0.0005, 0.0001581139], 1.0693147180559945
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 8.0, "beta_slow": 2.0}""",
            [1, 0.19764236, 0.025, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.138629436111989
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "attention_factor": 1.5}""",
            [1, 0.23717082, 0.049999997, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.5
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "mscale": 1.0, "mscale_all_dim": 0.5}""",
            [1, 0.23717082, 0.049999997, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.0648216253695715
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "mscale": 2.0}""",
            [1, 0.23717082, 0.049999997, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.138629436111989
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "truncate": false}""",
            [1, 0.19858353, 0.02559525, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.138629436111989
        },
        {
            """{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 6}""",
            [1, 0.07905694, 0.025, 0.007905695, 0.0025, 0.00079056947, 0.00025, 7.905695e-05], 1.138629436111989
        },
    };

    [Theory, MemberData(nameof(Scalings))]
    public void Every_scaling_gives_the_numbers_of_the_reference_in_both_spellings(string settings, double[] frequencies, double scaling)
    {
        var parameters = JsonNode.Parse(settings)!.AsObject();
        Check(new JsonObject { ["rope_parameters"] = parameters.DeepClone() }, frequencies, scaling, positions);

        parameters["type"] = parameters["rope_type"]!.DeepClone();
        parameters.Remove("rope_type");
        Check(new JsonObject { ["rope_scaling"] = parameters, ["rope_theta"] = 10000.0 }, frequencies, scaling, positions);
    }

    [Theory]
    [InlineData("""{"original_max_position_embeddings": 64}""", 1.1547005383792517, 64)]
    [InlineData("""{"original_max_position_embeddings": 64, "factor": 2.0}""", 1.0801234497346435, 64)]
    [InlineData("""{"original_max_position_embeddings": 64, "attention_factor": 1.25}""", 1.25, 64)]
    [InlineData("""{"original_max_position_embeddings": 1024}""", 1, positions)]
    [InlineData("{}", 1, positions)]
    public void Longrope_takes_the_short_factors_and_no_more_than_the_original_positions(string settings, double scaling, int most)
    {
        var parameters = JsonNode.Parse(settings)!.AsObject();
        parameters["rope_type"] = "longrope";
        parameters["short_factor"] = JsonNode.Parse("[1.0, 1.1, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0]");
        parameters["long_factor"] = JsonNode.Parse("[2.0, 2.2, 2.6, 3.2, 4.0, 5.0, 6.0, 8.0]");
        Check(
            new JsonObject { ["rope_parameters"] = parameters },
            [1, 0.28747976, 0.07692308, 0.019764235, 0.005, 0.0012649111, 0.00033333333, 7.905695e-05], scaling, most);
    }

    [Theory]
    [InlineData("""{"rotary_pct": 0.5, "rotary_emb_base": 5000}""", new[] { 1, 0.11892071, 0.014142136, 0.0016817928 })]
    [InlineData("""{"rope_parameters": {"partial_rotary_factor": 0.5, "rope_theta": 5000}}""",
        new[] { 1, 0.11892071, 0.014142136, 0.0016817928 })]
    [InlineData("""{"rotary_pct": 0.5, "partial_rotary_factor": 0.5, "rotary_emb_base": 5000, "rope_theta": 5000.0}""",
        new[] { 1, 0.11892071, 0.014142136, 0.0016817928 })]
    [InlineData("""{"rotary_pct": 0.5, "rope_scaling": {"type": "linear", "factor": 2.0}}""", new[] { 0.5, 0.05, 0.005, 0.0005 })]
    [InlineData("{}", new[] { 1, 0.01 })]
    public void A_part_of_the_channels_is_rotated_as_the_architecture_spells_it(string settings, double[] frequencies) =>
        Check(JsonNode.Parse(settings)!.AsObject(), frequencies, 1, positions, gptNeoX);

    [Theory]
    [InlineData("""{"rotary_pct": 0.2}""",
        "3 of a head's 16 channels are to be rotated; expected an even number of them, which rotary positions turn in pairs")]
    [InlineData("""{"rotary_pct": 0.1}""",
        "1 of a head's 16 channels are to be rotated; expected an even number of them, which rotary positions turn in pairs")]
    [InlineData("""{"rotary_pct": 2.0}""",
        "'rotary_pct' is 2.0; expected a number from 0.001 to 1")]
    [InlineData("""{"rotary_pct": 0.5, "partial_rotary_factor": 0.25}""",
        "rotary_pct is 0.5 and partial_rotary_factor is 0.25; expected the same number")]
    [InlineData("""{"rotary_emb_base": 5000, "rope_parameters": {"rope_theta": 10000.0}}""",
        "rope_theta is 10000 and rotary_emb_base is 5000; expected the same number")]
    [InlineData("""{"rope_scaling": {"type": "proportional"}}""",
        "'rope_scaling.type' is \"proportional\"; "
        + "expected one of \"default\", \"dynamic\", \"linear\", \"llama3\", \"longrope\", \"yarn\"")]
    [InlineData("""{"rope_scaling": {"type": "yarn", "factor": 4.0, "beta_fast": 0}}""",
        "'rope_scaling.beta_fast' is 0; expected a number from 0.001 to 1000000")]
    [InlineData("""{"rope_scaling": {"type": "longrope", "long_factor": [1, 2]}}""",
        "'rope_scaling.short_factor' is missing; expected a list of numbers",
        "short_factor has 0 numbers; expected 2, one for each pair of channels")]
    [InlineData("""{"rope_scaling": {"type": "longrope", "short_factor": [1, 2, 3], "long_factor": [1, 2]}}""",
        "short_factor has 3 numbers; expected 2, one for each pair of channels")]
    public void What_cannot_be_honoured_is_told(string settings, params string[] problems)
    {
        var reader = new ConfigReader(JsonNode.Parse(settings)!.AsObject(), "config.json");
        RotaryFrequencies.Read(reader, headSize, positions, gptNeoX);
        Assert.Equal(problems, Assert.Throws<CheckpointException>(reader.Finish).Problems);
    }

    [Fact]
    public void Where_all_channels_are_rotated_a_share_is_an_unknown_setting()
    {
        var reader = new ConfigReader(JsonNode.Parse("""{"rope_parameters": {"partial_rotary_factor": 0.5}}""")!.AsObject(), "config.json");
        RotaryFrequencies.Read(reader, headSize, positions);
        Assert.Equal(
            ["'rope_parameters.partial_rotary_factor' is 0.5; expected no such setting: this library does not know what it does"],
            Assert.Throws<CheckpointException>(reader.Finish).Problems);
    }

    private static void Check(
        JsonObject config, double[] frequencies, double scaling, int mostPositions, RotarySpelling? spelling = null)
    {
        var reader = new ConfigReader(config, "config.json");
        RotarySettings settings = RotaryFrequencies.Read(reader, headSize, positions, spelling);
        reader.Finish();
        Assert.Equal(frequencies.Length, settings.InverseFrequencies.Length);
        foreach (var (expected, found) in frequencies.Zip(settings.InverseFrequencies))
            Assert.InRange(found, expected * (1 - 1e-6), expected * (1 + 1e-6));
        Assert.Equal(scaling, settings.Scaling, 1e-12);
        Assert.Equal(mostPositions, settings.MaxPositions);
    }
}
