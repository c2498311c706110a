using System.Text.Json.Nodes;
using RewardModel.Cli;

namespace RewardModel.Tests.Cli;

public class PlanCommandTests
{
    [Fact]
    public void A_published_run_is_planned_by_its_recipe()
    {
        var (status, output, errors) = CommandLineTests.Run(
            "plan", "--recipe", "llama2", "--model", "llama-2-70b", "--gpus", "64", "--price-per-gpu-hour", "2.5");
        Assert.Equal((0, ""), (status, errors));
        Assert.Contains("model         llama-2-70b, 68,714,512,384 parameters, 68,714,512,384 of them trained\n", output);
        Assert.Contains("gpus          64 in 8 nodes, 78.0 GB of 80.0 GB usable each, 989 TFLOP/s in bfloat16\n", output);
        Assert.Contains(": 813 tokens a list, 512 lists a step\n", output);
        // Weights, moments and the buffer of one layer, in GB.
        Assert.Matches(@"(?m)^none +274\.9 +0\.0 +274\.9 +0\.0 +549\.7 +0\.0 +[\d.]+ +3\.4 +[\d,.]+ +too much ", output);
        Assert.Matches(@"(?m)^parameters +4\.3 +7\.9 +4\.3 +7\.9 +8\.6 +0\.0 +[\d.]+ +0\.0 +[\d.]+ +fits ", output);
        Assert.Contains("chosen        --shard parameters --max-tokens-per-batch ", output);
        Assert.Contains("run           5,702 steps, ", output);
        Assert.Matches("(?m)^cost .* GPU hours expected, [\\d,]+ at 2.5 an hour$", output);
        Assert.DoesNotContain("simulated", output);
    }

    [Fact]
    public void Its_JSON_has_the_same_figures()
    {
        var (status, output, _) = CommandLineTests.Run(
            "plan", "--model", "gpt2", "--gpus", "4", "--lists", "1000", "--lists-per-step", "32", "--answers", "3", "--prompt-tokens",
            "50", "--answer-tokens", "20", "--shard", "optimizer", "--max-tokens-per-batch", "1024", "--optimizer", "adafactor", "--json");
        Assert.Equal(0, status);
        var json = JsonNode.Parse(output)!;
        Assert.Equal((124_440_576, 32, 110), ((long)json["parameter_count"]!, (long)json["step_count"]!, (long)json["tokens_per_list"]!));
        Assert.Equal("optimizer", (string)json["chosen"]!["settings"]!["sharding"]!);
        Assert.Equal(4 * 124_440_576, (long)json["chosen"]!["memory"]!["weights"]!);
        Assert.Equal(
            32 * (double)json["chosen"]!["time"]!["total"]!, (double)json["run_seconds"]!, 1e-9);
        Assert.Equal(["none", "optimizer", "gradients", "parameters"],
            json["steps"]!.AsArray().Select(step => (string)step!["settings"]!["sharding"]!));
        Assert.Null(json["simulation"]);
    }

    [Fact]
    public void Every_published_run_has_a_row()
    {
        var (status, output, _) = CommandLineTests.Run("plan", "--all", "--gpus", "64", "--price-per-gpu-hour", "2");
        Assert.Equal(0, status);
        var lines = output.TrimEnd().Split('\n');
        Assert.Equal(9, lines.Length);
        Assert.Matches("^run +parameters +shard +.* GPU hours +cost$", lines[0]);
        Assert.Matches(@"^InstructGPT 6B +5\.8 B +\w+ .* 519 +\d+ % ", lines[1]);
        Assert.Matches(@"^Llama 2 70B +68\.7 B +parameters .* 5,702 +\d+ % ", lines[7]);
    }

    [Fact]
    public void What_does_not_fit_ends_with_what_would()
    {
        var (status, output, _) = CommandLineTests.Run("plan", "--recipe", "llama2", "--model", "llama-2-70b", "--gpus", "8");
        Assert.Equal(1, status);
        Assert.Matches(@"(?m)^result +no sharding fits on 8 GPUs\. It would on \d+\. Give more --gpus, or keep less: ", output);
        (status, output, _) = CommandLineTests.Run(
            "plan", "--recipe", "llama2", "--model", "llama-2-70b", "--gpus", "64", "--memory", "14GB");
        Assert.Equal(1, status);
        Assert.Contains("matrices would have to be cut into 2 parts (tensor parallelism), which this trainer can't do.", output);
        (status, output, _) = CommandLineTests.Run(
            "plan", "--recipe", "llama2", "--model", "llama-2-70b", "--gpus", "64", "--shard", "none");
        Assert.Equal(1, status);
        Assert.Contains("--shard none does not fit on 64 GPUs. More GPUs don't help. Divide more: --shard parameters.", output);
    }

    [Fact]
    public void A_simulation_says_what_failures_cost()
    {
        string[] arguments =
        [
            "plan", "--model", "llama-2-7b", "--gpus", "16", "--lists", "20000", "--failure-hours", "4", "--state-bandwidth", "2",
            "--restart-minutes", "1", "--simulate", "--seed", "3",
        ];
        var (status, output, errors) = CommandLineTests.Run(arguments);
        Assert.Equal((0, ""), (status, errors));
        Assert.Matches(@"(?m)^simulated .* for 625 steps on 16 ranks: \d+ failures, \d+ states in .* goodput [\d.]+ % \([\d,]+ events\)$",
            output);
        Assert.Matches(@"(?m)^state every +goodput, simulated +goodput, Daly$", output);
        Assert.Equal(7, System.Text.RegularExpressions.Regex.Count(output, @"\+- "));
        Assert.Equal(output, CommandLineTests.Run(arguments).Output);
        Assert.NotEqual(output, CommandLineTests.Run([.. arguments[..^1], "4"]).Output);
    }

    [Fact]
    public void Measured_figures_replace_computed_ones()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["measured.json"], """{"seconds_per_token": 0.01, "link_bandwidth": 1e8}""");
        var (status, output, _) = CommandLineTests.Run(
            "plan", "--model", "gpt2", "--gpus", "2", "--lists", "64", "--lists-per-step", "4", "--measured",
            directory["measured.json"], "--json");
        Assert.Equal(0, status);
        var json = JsonNode.Parse(output)!;
        Assert.Equal(1e8, (double)json["cluster"]!["link_bandwidth"]!);
        // Two lists of 1,280 tokens.
        Assert.True((double)json["chosen"]!["time"]!["computation"]! >= 25.6);
    }

    [Theory]
    [InlineData("error: --model is missing. Give one, or a --recipe.\n", "--gpus", "8")]
    [InlineData("error: --lists is missing. Give the count of lists, or a --recipe whose data are known.\n", "--gpus", "8", "--model",
        "gpt2")]
    [InlineData("error: --memory is '80'; expected a number with MB, GB, TB, MiB, GiB or TiB, such as 80GB.\n",
        "--gpus", "8", "--recipe", "llama2", "--memory", "80")]
    [InlineData("error: --shard is 'all'; expected one of: none, optimizer, gradients, parameters.\n",
        "--gpus", "8", "--recipe", "llama2", "--shard", "all")]
    [InlineData("error: --all plans every published run; it does not go with --model, --json. Leave one of them out.\n",
        "--gpus", "8", "--all", "--model", "gpt2", "--json")]
    public void Wrong_options_are_said(string error, params string[] arguments) =>
        Assert.Equal((2, "", error), CommandLineTests.Run(["plan", .. arguments]));

    [Theory]
    [InlineData("error: The GPU 'h900' is not known; expected one of: h100, h200, b200, a100-80gb, a100-40gb, l40s. ", "--gpus", "8",
        "--gpu", "h900")]
    [InlineData("error: The network 'pigeons' is not known; expected one of: infiniband, ", "--gpus", "8", "--network", "pigeons")]
    [InlineData("error: The run can't be planned: --gpus is 0; expected at least 1.\n", "--gpus", "0")]
    [InlineData("error: The run can't be planned: --step-deviation is 2; expected a number from 0 to 1.\n", "--gpus", "8",
        "--step-deviation", "2")]
    public void Wrong_values_are_said(string error, params string[] arguments)
    {
        var (status, output, errors) = CommandLineTests.Run(["plan", "--recipe", "llama2", .. arguments]);
        Assert.Equal((1, ""), (status, output));
        Assert.StartsWith(error, errors);
    }

    [Theory]
    [InlineData("80GB", 80_000_000_000)]
    [InlineData("1.5 tb", 1_500_000_000_000)]
    [InlineData("40GiB", 42_949_672_960)]
    [InlineData("0GB", null)]
    [InlineData("-1GB", null)]
    [InlineData("GB", null)]
    [InlineData("nanGB", null)]
    [InlineData("1e30TB", null)]
    [InlineData("80", null)]
    public void Sizes_are_read(string text, long? bytes) => Assert.Equal(bytes, Sizes.Parse(text));
}
