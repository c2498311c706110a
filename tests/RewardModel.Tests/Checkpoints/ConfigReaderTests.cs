using System.Text.Json.Nodes;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

public sealed class ConfigReaderTests
{
    private const string Advice = "Correct these settings; remove an unknown one only if the model computes the same without it.";

    [Fact]
    public void Settings_are_read_by_type()
    {
        var reader = Reader(
            """
            {
                "hidden_size": 48, "rms_norm_eps": 1e-05, "rope_theta": 10000, "mlp_bias": true, "name": "x", "hidden_act": "silu",
                "layer_types": ["full", "sliding"], "pos_att_type": "p2c | c2p", "none": ""
            }
            """);
        Assert.Equal(48, reader.Int("hidden_size"));
        Assert.Equal(1e-5, reader.Double("rms_norm_eps"));
        Assert.Equal(10000.0, reader.Double("rope_theta"));
        Assert.True(reader.Bool("mlp_bias"));
        Assert.Equal("x", reader.Text("name"));
        Assert.Equal("silu", reader.OneOf("hidden_act", ["gelu", "silu"]));
        Assert.Equal(["full", "sliding"], reader.OptionalStrings("layer_types"));
        Assert.Equal(["p2c", "c2p"], reader.OptionalStrings("pos_att_type", separator: '|'));
        Assert.Empty(reader.OptionalStrings("none", separator: '|')!);
        reader.Finish();
    }

    [Fact]
    public void Settings_changed_in_code_are_read_like_those_of_a_file()
    {
        var reader = new ConfigReader(new JsonObject { ["int"] = 3, ["double"] = 3, ["bool"] = true, ["text"] = "x" }, "config.json");
        Assert.Equal(3, reader.Int("int"));
        Assert.Equal(3.0, reader.Double("double"));
        Assert.True(reader.Bool("bool"));
        Assert.Equal("x", reader.Text("text"));
        reader.Finish();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"a": null}""")]
    public void Absent_and_null_settings_take_the_given_value(string json)
    {
        var reader = Reader(json);
        Assert.False(reader.Has("a"));
        Assert.Equal(7, reader.Int("a", 7));
        Assert.Equal(0.5, reader.Double("a", 0.5));
        Assert.True(reader.Bool("a", true));
        Assert.Equal("x", reader.Text("a", "x"));
        Assert.Equal("silu", reader.OneOf("a", ["silu"], "silu"));
        Assert.Null(reader.OptionalInt("a"));
        Assert.Null(reader.OptionalDouble("a"));
        Assert.Null(reader.OptionalStrings("a"));
        Assert.Null(reader.OptionalObject("a"));
        reader.MustBe("a", true);
        reader.MustBe("a", 1);
        reader.Finish();
    }

    [Fact]
    public void Missing_settings_are_listed_at_once()
    {
        var reader = Reader("""{"eps": null}""");
        reader.Int("hidden_size");
        reader.Double("eps");
        reader.Bool("flag");
        reader.Text("name");
        reader.OneOf("act", ["silu"]);
        AssertProblems(
            reader,
            "'hidden_size' is missing; expected a 32-bit whole number",
            "'eps' is null; expected a number",
            "'flag' is missing; expected true or false",
            "'name' is missing; expected a string",
            "'act' is missing; expected \"silu\"");
    }

    [Fact]
    public void Settings_of_the_wrong_type_are_listed_at_once()
    {
        var reader = Reader(
            """
            {
                "hidden_size": 48.0, "layers": 99999999999, "eps": "1e-5", "huge": 1e999, "flag": 1, "name": true, "act": 3,
                "types": ["a", 1], "rope": [], "bias": "no"
            }
            """);
        reader.Int("hidden_size");
        reader.Int("layers", 1);
        reader.Double("eps");
        reader.Double("huge");
        reader.Bool("flag", false);
        reader.Text("name", "x");
        reader.OneOf("act", ["gelu", "silu"]);
        reader.OptionalStrings("types");
        reader.OptionalObject("rope");
        reader.MustBe("bias", true);
        AssertProblems(
            reader,
            "'hidden_size' is 48.0; expected a 32-bit whole number",
            "'layers' is 99999999999; expected a 32-bit whole number",
            "'eps' is \"1e-5\"; expected a number",
            "'huge' is 1e999; expected a number",
            "'flag' is 1; expected true or false",
            "'name' is true; expected a string",
            "'act' is 3; expected one of \"gelu\", \"silu\"",
            "'types' is [\"a\",1]; expected a list of strings",
            "'rope' is []; expected an object",
            "'bias' is \"no\"; expected true");
    }

    [Fact]
    public void A_number_whose_null_means_something_is_told_from_an_absent_one()
    {
        var reader = Reader("""{"window": null, "other": 8}""");
        Assert.Null(reader.IntOrNull("window", 4096));
        Assert.Equal(8, reader.IntOrNull("other", 4096));
        Assert.Equal(4096, reader.IntOrNull("absent", 4096));
        reader.Finish();
    }

    [Fact]
    public void Numbers_outside_their_limits_are_listed_at_once_and_brought_within()
    {
        var reader = Reader("""{"a": 11, "b": -3, "c": 2.5, "d": -1e300, "e": 7, "f": 1e-3, "g": null}""");
        Assert.Equal(10, reader.Size("a", most: 10));
        Assert.Equal(-1, reader.Int("b", absent: 0, least: -1, most: 4));
        Assert.Equal(2, reader.Double("c", (0.5, 2)));
        Assert.Equal(0.5, reader.OptionalDouble("d", (0.5, 2)));
        Assert.Equal(2, reader.DoubleOrNull("e", 1, (0.5, 2)));
        Assert.Equal(1e-3, reader.Double("f", (1e-3, 2)));
        Assert.Null(reader.DoubleOrNull("g", 1, (0.5, 2)));
        Assert.Null(reader.OptionalDouble("absent", (0.5, 2)));
        AssertProblems(
            reader, "'a' is 11; expected at most 10", "'b' is -3; expected a whole number from -1 to 4",
            "'c' is 2.5; expected a number from 0.5 to 2", "'d' is -1e300; expected a number from 0.5 to 2",
            "'e' is 7; expected a number from 0.5 to 2");
    }

    [Fact]
    public void Sizes_below_1_are_listed_at_once()
    {
        var reader = Reader("""{"a": 0, "b": -1, "c": 1, "d": "wide"}""");
        reader.Size("a");
        reader.Size("b", 4);
        Assert.Equal(1, reader.Size("c"));
        Assert.Equal(4, reader.Size("absent", 4));
        reader.Size("d");
        reader.Size("missing");
        AssertProblems(
            reader, "'a' is 0; expected at least 1", "'b' is -1; expected at least 1", "'d' is \"wide\"; expected a 32-bit whole number",
            "'missing' is missing; expected a 32-bit whole number");
    }

    [Fact]
    public void Lists_of_numbers_are_read_and_checked()
    {
        var reader = Reader("""{"factors": [1, 2.5, 1e-3], "empty": [], "texts": [1, "2"], "nulls": [null], "number": 1}""");
        Assert.Equal([1, 2.5, 1e-3], reader.Doubles("factors"));
        Assert.Empty(reader.Doubles("empty"));
        foreach (var key in new[] { "texts", "nulls", "number", "absent" })
            Assert.Empty(reader.Doubles(key));
        AssertProblems(
            reader,
            "'texts' is [1,\"2\"]; expected a list of numbers",
            "'nulls' is [null]; expected a list of numbers",
            "'number' is 1; expected a list of numbers",
            "'absent' is missing; expected a list of numbers");
    }

    [Fact]
    public void Unsupported_values_are_listed_at_once()
    {
        var reader = Reader("""{"act": "relu", "other": "tanh", "bias": true, "groups": 2, "rate": 0.0, "same": "1"}""");
        reader.OneOf("act", ["gelu", "silu"]);
        reader.OneOf("other", ["gelu"], "gelu");
        reader.MustBe("bias", false);
        reader.MustBe("groups", 1);
        reader.MustBe("rate", 0);
        reader.MustBe("same", 1);
        AssertProblems(
            reader,
            "'act' is \"relu\"; expected one of \"gelu\", \"silu\"",
            "'other' is \"tanh\"; expected \"gelu\"",
            "'bias' is true; expected false",
            "'groups' is 2; expected 1",
            "'same' is \"1\"; expected 1");
    }

    [Fact]
    public void Settings_that_nobody_asked_for_are_problems()
    {
        var reader = Reader("""{"qk_clip": 3, "nothing": null, "ignored": 1, "asked": 1}""");
        reader.Ignore("ignored", "absent");
        reader.Int("asked");
        AssertProblems(reader, "'qk_clip' is 3; expected no such setting: this library does not know what it does");
    }

    [Fact]
    public void Of_features_that_must_be_off_the_problem_says_so() =>
        AssertProblems(
            Reader("""{"num_nextn_predict_layers": 2, "is_decoder": true}"""),
            "'num_nextn_predict_layers' is 2; expected 0: layers that predict further tokens are not supported",
            "'is_decoder' is true; expected false: an encoder that reads in one direction only is not supported");

    [Fact]
    public void A_number_that_null_switches_off_is_told_from_an_absent_one()
    {
        var reader = Reader("""{"given": 2.5, "off": null}""");
        Assert.Equal(2.5, reader.DoubleOrNull("given", 50));
        Assert.Null(reader.DoubleOrNull("off", 50));
        Assert.Equal(50, reader.DoubleOrNull("absent", 50));
    }

    [Fact]
    public void Asking_whether_a_setting_is_there_is_not_reading_it()
    {
        var reader = Reader("""{"qk_clip": 3}""");
        Assert.True(reader.Has("qk_clip"));
        AssertProblems(reader, "'qk_clip' is 3; expected no such setting: this library does not know what it does");
    }

    [Fact]
    public void Nested_settings_are_named_with_their_path()
    {
        var reader = Reader("""{"rope": {"full": {"theta": "x", "factor": 8.0}, "use_cache": true}}""");
        var full = reader.OptionalObject("rope")!.OptionalObject("full")!;
        full.Double("theta");
        AssertProblems(
            reader,
            "'rope.full.theta' is \"x\"; expected a number",
            "'rope.use_cache' is true; expected no such setting: this library does not know what it does",
            "'rope.full.factor' is 8.0; expected no such setting: this library does not know what it does");
    }

    [Fact]
    public void The_caller_s_own_problems_are_listed_too()
    {
        var reader = Reader("{}");
        reader.Problem("'hidden_size' 10 is no multiple of 'num_attention_heads' 3");
        AssertProblems(reader, "'hidden_size' 10 is no multiple of 'num_attention_heads' 3");
    }

    private static ConfigReader Reader(string json) => new((JsonObject)JsonNode.Parse(json)!, "config.json");

    private static void AssertProblems(ConfigReader reader, params string[] problems)
    {
        var error = Assert.Throws<CheckpointException>(reader.Finish);
        Assert.Equal("config.json", error.FilePath);
        Assert.Equal(problems, error.Problems);
        Assert.Equal(Advice, error.Advice);
    }
}
