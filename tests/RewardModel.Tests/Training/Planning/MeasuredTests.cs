using RewardModel.Checkpoints;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class MeasuredTests
{
    [Fact]
    public void A_file_has_the_figures_by_these_names()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(
            directory["measured.json"],
            """
            {
              "seconds_per_token": 0.001, "optimizer_seconds": 0.2, "fixed_seconds_per_step": 0, "link_bandwidth": 1e9,
              "link_latency": 2e-5, "node_bandwidth": 1e8, "node_latency": 1e-3, "step_deviation": 0.05, "step_spread": "exponential",
              "overlaps_communication": false
            }
            """);
        var measured = Measured.Read(directory["measured.json"]);
        Assert.Equal(
            new Measured
            {
                SecondsPerToken = 0.001,
                OptimizerSeconds = 0.2,
                FixedSecondsPerStep = 0,
                LinkBandwidth = 1e9,
                LinkLatency = 2e-5,
                NodeBandwidth = 1e8,
                NodeLatency = 1e-3,
                StepDeviation = 0.05,
                StepSpread = SpreadKind.Exponential,
                OverlapsCommunication = false,
            },
            measured);
        var cluster = measured.ApplyTo(Shapes.H100s(8));
        Assert.Equal((1e9, 2e-5, 1e8, 1e-3), (cluster.LinkBandwidth, cluster.LinkLatency, cluster.NodeBandwidth, cluster.NodeLatency));
        Assert.Equal(Shapes.H100s(8), new Measured().ApplyTo(Shapes.H100s(8)));
    }

    [Theory]
    [InlineData("""{"seconds_per_tokens": 1}""", "Expected any of: seconds_per_token, optimizer_seconds, ")]
    [InlineData("nothing", "Expected any of: seconds_per_token, ")]
    [InlineData("""{"link_bandwidth": 0, "step_deviation": -1}""", "link_bandwidth is 0; expected a number above 0")]
    [InlineData("""{"link_bandwidth": 0, "step_deviation": -1}""", "step_deviation is -1; expected 0 or more")]
    public void What_is_wrong_with_a_file_is_said(string text, string message)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["measured.json"], text);
        var error = Assert.Throws<CheckpointException>(() => Measured.Read(directory["measured.json"]));
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("there is no such file", Assert.Throws<CheckpointException>(() => Measured.Read("not-there.json")).Message);
}
