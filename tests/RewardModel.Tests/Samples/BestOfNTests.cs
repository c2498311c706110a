using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace RewardModel.Tests.Samples;

public sealed class BestOfNTests
{
    [Fact]
    public void Writes_the_best_answer_of_each_row_and_what_fewer_answers_would_have_brought()
    {
        // More rows than are read at once.
        using var sample = new SampleModel(300);
        var rewards = sample.Model.Score(sample.Lists);

        var (exitCode, output, error) = SampleProgram.BestOfN.Run(sample.ModelDirectory, sample.DataFile, sample["best.jsonl"]);

        Assert.Equal((0, ""), (exitCode, error));
        var rows = File.ReadAllLines(sample["best.jsonl"]);
        Assert.Equal(300, rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            using var row = JsonDocument.Parse(rows[i]);
            var index = row.RootElement.GetProperty("index").GetInt32();
            Assert.Equal(sample.Lists[i].Prompt, row.RootElement.GetProperty("prompt").GetString());
            Assert.Equal(sample.Lists[i].Answers[index], row.RootElement.GetProperty("answer").GetString());
            Assert.Equal(rewards[i].Max(), row.RootElement.GetProperty("reward").GetSingle(), 1e-5);
            Assert.Equal(rewards[i].Max(), rewards[i][index], 1e-5);
        }
        var curve = CurveOf(output);
        Assert.Equal([1, 2, 4, 8, 9], curve.Select(point => point.N));
        var mean = rewards.Average(ofList => ofList.Average());
        Assert.All(curve, point =>
        {
            Assert.Equal(300, point.ListCount);
            Assert.Equal(rewards.Average(ofList => MeanOfSubsets(ofList, point.N)), point.Reward, 1e-4);
            Assert.Equal(point.Reward - mean, point.Gain, 2e-4);
            Assert.Equal(Math.Log(point.N) - (point.N - 1.0) / point.N, point.Kl, 6e-4);
        });
    }

    [Fact]
    public void Lists_count_for_the_sizes_that_they_have()
    {
        using var sample = new SampleModel(3);
        var data = sample.Write(
            "mixed.jsonl", sample.Lists.Select((list, i) => (list.Prompt, list.Answers.Take(i + 2).ToArray())));
        var output = SampleProgram.BestOfN.Run(sample.ModelDirectory, data, sample["best.jsonl"]).Output;
        Assert.Equal([(1, 3), (2, 3), (3, 1), (4, 1)], CurveOf(output).Select(point => (point.N, point.ListCount)));
    }

    [Fact]
    public void Answers_of_the_command_line_are_scored_as_those_of_a_file()
    {
        using var sample = new SampleModel(1);
        var list = sample.Lists[0];
        var fromFile = SampleProgram.BestOfN.Run(sample.ModelDirectory, sample.DataFile, sample["best.jsonl"]);
        var fromCommandLine = SampleProgram.BestOfN.Run([sample.ModelDirectory, "--prompt", list.Prompt, .. list.Answers]);
        Assert.Equal((0, ""), (fromCommandLine.ExitCode, fromCommandLine.Error));
        Assert.Equal(File.ReadAllText(sample["best.jsonl"]) + fromFile.Output, fromCommandLine.Output);
    }

    [Theory]
    [InlineData]
    [InlineData("somewhere", "data.jsonl")]
    [InlineData("somewhere", "--prompt", "text")]
    public void Arguments_that_make_no_sense_show_the_usage(params string[] arguments) =>
        Assert.Equal(
            (2, "", "Usage: BestOfN MODEL_DIR DATA OUTPUT, or BestOfN MODEL_DIR --prompt PROMPT ANSWER ANSWER...\n"),
            SampleProgram.BestOfN.Run(arguments));

    private static (int N, int ListCount, double Reward, double Gain, double Kl)[] CurveOf(string output) =>
    [
        .. output.TrimEnd('\n').Split('\n')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .SkipWhile(cells => cells[0] != "n").Skip(1)
            .Select(cells => (int.Parse(cells[0]), int.Parse(cells[1]), Number(cells[2]), Number(cells[3]), Number(cells[4]))),
    ];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>By its definition: the mean of the highest reward of each set of n.</summary>
    private static double MeanOfSubsets(float[] rewards, int n) =>
        Enumerable.Range(0, 1 << rewards.Length)
            .Where(set => BitOperations.PopCount((uint)set) == n)
            .Average(set => (double)rewards.Where((_, i) => (set >> i & 1) == 1).Max());
}
