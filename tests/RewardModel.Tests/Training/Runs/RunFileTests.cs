using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training.Runs;

public class RunFileTests
{
    [Fact]
    public void What_is_written_is_read_again_as_the_same_options()
    {
        using var directory = new TemporaryDirectory();
        var options = new TrainingRunOptions
        {
            Data = "a: b # \"c\".jsonl",
            Output = "modèle",
            Backbone = "x",
            LearningRate = 1.0 / 3,
            Schedule = ScheduleKind.Linear,
            Precision = Precision.Bfloat16,
            Steps = 7,
            DecayAll = true,
            Seed = -4,
            BestBy = BestBy.Loss,
        };
        RunFile<TrainingRunOptions>.Write(directory["run.yaml"], options);
        Assert.Equal(options, RunFile<TrainingRunOptions>.ToOptions(RunFile<TrainingRunOptions>.Read(directory["run.yaml"])));
        Assert.StartsWith("data: \"a: b # \\\"c\\\".jsonl\"\n", File.ReadAllText(directory["run.yaml"]));
    }

    [Theory]
    [InlineData("\U0001f600.jsonl")]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("1e5")]
    [InlineData("C:\\data\\x.jsonl")]
    [InlineData(" a\tb\nc\r\u0001\u0085\u2028\ufeff\u007f ")]
    [InlineData("'%@`{}[]&*!|>?- #")]
    public void Any_path_is_read_again(string path)
    {
        using var directory = new TemporaryDirectory();
        var options = new TrainingRunOptions { Data = path, Output = path };
        RunFile<TrainingRunOptions>.Write(directory["run.yaml"], options);
        Assert.Equal(options, RunFile<TrainingRunOptions>.ToOptions(RunFile<TrainingRunOptions>.Read(directory["run.yaml"])));
    }

    [Fact]
    public void It_is_what_people_write()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory["run.yaml"], "# fine-tuning\ndata: train.jsonl\noutput: 'out'\nbackbone: x\nlearning-rate: 1e-5\nprecision: bf16\n");
        var options = RunFile<TrainingRunOptions>.ToOptions(RunFile<TrainingRunOptions>.Read(directory["run.yaml"]));
        Assert.Equal(
            new TrainingRunOptions
            {
                Data = "train.jsonl",
                Output = "out",
                Backbone = "x",
                LearningRate = 1e-5,
                Precision = Precision.Bfloat16,
            },
            options);
    }

    [Fact]
    public void Everything_wrong_is_told_with_its_line()
    {
        using var directory = new TemporaryDirectory();
        var file = directory["run.yaml"];
        File.WriteAllText(file, "epochs: two\nschedule: steep\nlearnign-rate: 1e-5\nlearning-rate: 0,5\nseed: [1, 2]\ndecay-all: yes\n");
        var lines = Assert.Throws<RunFileException>(() => RunFile<TrainingRunOptions>.Read(file)).Message.Split('\n');
        Assert.Equal($"{file}:1: 'epochs' is 'two'; expected a whole number", lines[0]);
        Assert.Equal($"{file}:2: 'schedule' is 'steep'; expected one of: cosine, linear, constant, wsd", lines[1]);
        Assert.StartsWith($"{file}:3: 'learnign-rate' is not an option; expected one of: ", lines[2]);
        Assert.Equal($"{file}:4: 'learning-rate' is '0,5'; expected a number such as 0.1 or 1e-5", lines[3]);
        Assert.Equal($"{file}:5: 'seed' has several values; expected one", lines[4]);
        Assert.Equal($"{file}:6: 'decay-all' is 'yes'; expected true or false", lines[5]);
        Assert.Equal(6, lines.Length);
        File.WriteAllText(file, "a: b: c\n");
        Assert.StartsWith(
            $"{file}:1: invalid YAML (", Assert.Throws<RunFileException>(() => RunFile<TrainingRunOptions>.Read(file)).Message);
        File.WriteAllText(file, "");
        Assert.Equal(
            $"'{file}' is not a run file; expected lines such as 'epochs: 2'.",
            Assert.Throws<RunFileException>(() => RunFile<TrainingRunOptions>.Read(file)).Message);
    }
}
