using System.Diagnostics;
using RewardModel.Training;
using RewardModel.Training.Runs;
using RewardModel.Training.Sweeps;

namespace RewardModel.Tests.Training.Runs;

public class YamlTextTests
{
    [Fact]
    public void An_alias_of_one_value_is_that_value()
    {
        using var text = new StringReader("output: &o out\ndata: [*o, b]\n");
        var options = RunFile<TrainingRunOptions>.ToOptions(RunFile<TrainingRunOptions>.Parse(text, "run.yaml"));
        Assert.Equal("out", options.Output);
        Assert.Equal(["out", "b"], options.Data);
    }

    [Theory]
    [InlineData("a: &a {b: *a}", "run.yaml:1: the alias '*a' stands for several values, or for none; expected one value. Write the values out.")]
    [InlineData("a: *b", "run.yaml:1: the alias '*b' stands for several values, or for none; expected one value. Write the values out.")]
    [InlineData("a:\n  &l [1]\nb: *l", "run.yaml:3: the alias '*l' stands for several values, or for none; expected one value. Write the values out.")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[", "run.yaml:1: more than 20 values are nested in one another; expected lines such as 'epochs: 2'.")]
    public void What_could_be_endless_is_refused_by_its_line(string yaml, string expected) => Assert.Equal(expected, MessageOf(yaml));

    [Fact]
    public void Aliases_of_lists_of_aliases_take_no_time()
    {
        var lines = Enumerable.Range(0, 30).Select(i => $"a{i}: &a{i} [{(i == 0 ? "x" : $"*a{i - 1}, *a{i - 1}, *a{i - 1}")}]");
        var yaml = string.Join('\n', lines) + "\nvary: {epochs: *a29}\n";
        var watch = Stopwatch.StartNew();
        using var text = new StringReader(yaml);
        Assert.StartsWith(
            "sweep.yaml:2: the alias '*a0' stands for several values",
            Assert.Throws<RunFileException>(() => SweepPlan.Parse(text, "sweep.yaml")).Message, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 2);
    }

    [Fact]
    public void A_million_levels_end_no_process() =>
        Assert.StartsWith("run.yaml:1: more than 20 values", MessageOf(new string('[', 1_000_000)), StringComparison.Ordinal);

    [Theory]
    [InlineData(".inf")]
    [InlineData("Infinity")]
    [InlineData("NaN")]
    [InlineData("1e400")]
    public void A_number_that_is_not_finite_is_refused(string number) => Assert.Equal(
        $"run.yaml:1: 'learning-rate' is '{number}'; expected a number such as 0.1 or 1e-5", MessageOf($"learning-rate: {number}"));

    private static string MessageOf(string yaml)
    {
        using var text = new StringReader(yaml);
        return Assert.Throws<RunFileException>(() => RunFile<TrainingRunOptions>.Parse(text, "run.yaml")).Message;
    }
}
