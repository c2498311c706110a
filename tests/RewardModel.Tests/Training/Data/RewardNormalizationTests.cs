using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Cli;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Cli;
using RewardModel.Tests.Parity;
using RewardModel.Tests.Scoring;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Reporting;

namespace RewardModel.Tests.Training.Data;

[Collection(nameof(RunsAlone))]
public sealed class RewardNormalizationTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly StringWriter log = new() { NewLine = "\n" };

    public RewardNormalizationTests()
    {
        File.WriteAllText(directory["config.json"], TinyModel.Config("llama").ToJsonString());
        Write("train.jsonl", Enumerable.Range(0, 60).Select(
            i => new { prompt_ids = new[] { 1 + i % 50, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] } }));
        Write("held-out.jsonl", Enumerable.Range(0, 9).Select(
            i => new { prompt_ids = new[] { 51 + i, 3 }, answer_ids = new[] { new[] { 7, 2 }, [8, 9, 2], [3, 2] }, scores = new[] { 0, 2, 1 } }));
        Write("reference.jsonl", Enumerable.Range(0, 7).Select(i => new { prompt_ids = new[] { i }, answer_ids = new[] { new[] { 9, i, 2 } } }));
    }

    private TrainingRunOptions Options => new()
    {
        Data = directory["train.jsonl"],
        EvaluationData = directory["held-out.jsonl"],
        Config = directory["config.json"],
        Output = directory["model"],
        Steps = 6,
        ListsPerStep = 8,
        LearningRate = 3e-3,
        EvaluationInterval = 2,
        SaveInterval = 2,
        BestBy = BestBy.Loss,
        Threads = 1,
    };

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("none", null, null)]
    [InlineData("held-out", NormalizedBy.HeldOut, null)]
    [InlineData("held-out-best", NormalizedBy.HeldOutBest, null)]
    [InlineData("reference:a:b.jsonl", NormalizedBy.Reference, "a:b.jsonl")]
    internal void It_is_named_by(string text, NormalizedBy? by, string? file) =>
        Assert.Equal((true, by is { } kind ? new RewardNormalization(kind, file) : null), RewardNormalization.Parse(text));

    [Theory]
    [InlineData("held_out")]
    [InlineData("reference:")]
    [InlineData("reference")]
    [InlineData("")]
    public void Other_names_are_refused(string text)
    {
        Assert.False(RewardNormalization.Parse(text).IsValid);
        Assert.EndsWith(
            $"Normalize (--normalize) is '{text}'; expected none, held-out, held-out-best or reference:FILE.",
            Assert.Throws<OptionsException>(() => new TrainingRun(Options with { Normalize = text })).Message);
    }

    [Fact]
    public void A_run_without_such_answers_is_refused_before_it_begins()
    {
        string Message(TrainingRunOptions options) => Assert.Throws<OptionsException>(() => new TrainingRun(options)).Message;
        Assert.EndsWith(
            "Normalize (--normalize) is 'held-out-best'; expected none or reference:FILE, because --eval-fraction 0 holds nothing out.",
            Message(Options with { EvaluationData = null, EvaluationFraction = 0, Normalize = "held-out-best" }));
        Assert.EndsWith(
            "Normalize (--normalize) is 'reference:nowhere.jsonl'; expected an existing file of reference answers.",
            Message(Options with { Normalize = "reference:nowhere.jsonl" }));

        File.AppendAllText(directory["reference.jsonl"], "{\n");
        var run = Options with { Normalize = $"reference:{directory["reference.jsonl"]}" };
        Assert.Contains(
            $"{directory["reference.jsonl"]}:8: invalid JSON", Assert.Throws<RankedDataException>(() => new TrainingRun(run).Run()).Message);
        Assert.Contains(
            $"{directory["reference.jsonl"]}:8: invalid JSON", Assert.Throws<RankedDataException>(() => new TrainingRun(run).Plan()).Message);
        File.WriteAllText(directory["reference.jsonl"], """{"prompt_ids": [1], "answer_ids": [[99]]}""");
        Assert.Contains(
            "reference.jsonl:1 has the token id 99",
            Assert.Throws<ArgumentException>(() => new TrainingRun(run).Run()).Message);
        Assert.False(File.Exists(directory["model/config.json"]));
    }

    [Theory]
    [InlineData("held-out")]
    [InlineData("held-out-best")]
    [InlineData("reference")]
    public void A_trained_model_is_normalised_with_the_weights_that_it_ends_with(string by)
    {
        var file = directory["reference.jsonl"];
        var options = Options with { Normalize = by == "reference" ? $"reference:{file}" : by };
        var result = new TrainingRun(options, new LineLogger(log.WriteLine)).Run();
        using var model = ScoringModel.Load(directory["model"]);
        Assert.Equal(result.Normalizer, model.Rule.Normalizer);
        var lists = RankedListReader.Read(by == "reference" ? file : directory["held-out.jsonl"]).TokenizedLists;
        double[][] rewards =
        [
            .. model.Scorer().Score(lists).Select(list => list.Select(reward => (double)reward).ToArray()),
        ];
        var answers = by == "held-out-best" ? [.. rewards.Select(list => list[1])] : rewards.SelectMany(list => list).ToArray();
        Assert.Equal(0, answers.Average(), 1e-5);
        Assert.Equal(by == "held-out", Math.Abs(answers.Average(reward => reward * reward) - 1) < 1e-5);
        Assert.Equal(by == "held-out", result.Normalizer!.Std != 1);
        var source = by switch
        {
            "held-out" => "27 held-out answers have mean 0 and standard deviation 1",
            "held-out-best" => "the best answers of 9 held-out lists have mean 0",
            _ => $"7 reference answers of '{file}' have mean 0",
        };
        Assert.Equal(
            FormattableString.Invariant($"Rewards are normalised: (raw - {result.Normalizer.Mean:G6}) / {result.Normalizer.Std:G6}, so that {source}"),
            log.ToString().Split('\n').Single(line => line.StartsWith("Rewards are", StringComparison.Ordinal)));

        // Weights as without it, and a run that is interrupted and resumed ends with the same.
        new TrainingRun(options with { Normalize = "none", Output = directory["raw"] }).Run();
        Assert.Equal(File.ReadAllBytes(directory["raw/model.safetensors"]), File.ReadAllBytes(directory["model/model.safetensors"]));
        using var stop = new CancellationTokenSource();
        var cut = options with { Output = directory["cut"] };
        Assert.Throws<OperationCanceledException>(() => new TrainingRun(cut).Run(new StopAfter(stop, 3), stop.Token));
        Assert.Equal(result.Normalizer, TrainingRun.Resume(directory["cut"]).Run().Normalizer);
        Assert.Equal(File.ReadAllBytes(directory["model/reward_model.json"]), File.ReadAllBytes(directory["cut/reward_model.json"]));
        Assert.Equal(result.Normalizer, TrainingRun.Resume(directory["cut"]).Run().Normalizer);
    }

    [Fact]
    public void Rewards_that_are_all_the_same_have_no_scale()
    {
        using var model = new ScoringModel(TinyModel.Create());
        using (TorchSharp.torch.no_grad())
            model.Transformer.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.fill_(0);
        var lists = RankedListReader.Read(directory["held-out.jsonl"]).TokenizedLists;
        var logger = new LineLogger(log.WriteLine);
        Assert.StartsWith(
            "All 27 rewards are 0, so that they have no standard deviation",
            Assert.Throws<ArgumentException>(() => new RewardNormalization(NormalizedBy.HeldOut, null).Of(model, lists, 100, logger)).Message);
        Assert.Equal(RewardNormalizer.None, new RewardNormalization(NormalizedBy.HeldOutBest, null).Of(model, lists, 100, logger));
        Assert.StartsWith(
            "There are no lists to normalise the rewards by",
            Assert.Throws<ArgumentException>(() => new RewardNormalization(NormalizedBy.HeldOut, null).Of(model, [], 100, logger)).Message);
    }

    [Fact]
    public void A_saved_model_is_normalised_and_exported_with_its_scale_in_the_head()
    {
        using var tokenizer = new TemporaryDirectory();
        using (var model = new ScoringModel(ParityModel.Random("bert"), ScoringModelTests.Tokenizer(tokenizer)))
            model.Save(directory["bert"], TorchSharp.torch.ScalarType.BFloat16);
        Write("demonstrations.jsonl", "abcd".Select(letter => new { prompt = $"{letter}a", response = $"b{letter}" }));
        Write("ranked.jsonl", "abcd".Select(letter => new { prompt = $"{letter}a", answers = new[] { $"b{letter}", $"{letter}c" } }));

        var (status, output, errors) = CommandLineTests.Run(
            "normalize", "--model", directory["bert"], "--reference", directory["demonstrations.jsonl"]);
        Assert.True(status == 0, errors);
        Assert.StartsWith("Rewards are normalised: (raw - ", errors);
        Assert.EndsWith($"4 reference answers of '{directory["demonstrations.jsonl"]}' have mean 0\n", errors);
        Assert.Matches($"^Model: {directory["bert"]}, reward = \\(raw - -?[0-9.]+\\) / 1\n$", output);
        Assert.Equal(0, RewardsOf(directory["bert"], "demonstrations.jsonl").Average(), 1e-5);
        // Of raw rewards: again, it changes nothing; and the best answers of lists are the same.
        var written = File.ReadAllText(directory["bert/reward_model.json"]);
        CommandLineTests.Run("normalize", "--model", directory["bert"], "--reference", directory["ranked.jsonl"]);
        Assert.Equal(written, File.ReadAllText(directory["bert/reward_model.json"]));

        Assert.Equal(0, CommandLineTests.Run("normalize", "--model", directory["bert"], "--held-out", directory["ranked.jsonl"]).Status);
        var rewards = RewardsOf(directory["bert"], "ranked.jsonl");
        Assert.Equal((0, 1), (Math.Round(rewards.Average(), 5), Math.Round(rewards.Average(reward => reward * reward), 4)));

        Assert.Equal(
            (0, $"Model: {directory["copy"]}\n", ""), CommandLineTests.Run("export", "--model", directory["bert"], "--output", directory["copy"]));
        Assert.Equal(File.ReadAllBytes(directory["bert/model.safetensors"]), File.ReadAllBytes(directory["copy/model.safetensors"]));
        Assert.Equal(
            0, CommandLineTests.Run("export", "--model", directory["bert"], "--output", directory["folded"], "--fold-normalizer").Status);
        Assert.Contains("\"std\": 1\n", File.ReadAllText(directory["folded/reward_model.json"]));
        // The weights are in bfloat16, of 8 bits.
        Assert.All(rewards.Zip(RewardsOf(directory["folded"], "ranked.jsonl")), pair => Assert.Equal(pair.First, pair.Second, 0.02));
    }

    [Fact]
    public void Options_that_do_not_go_together_are_told()
    {
        string Errors(params string[] arguments)
        {
            var (status, _, errors) = CommandLineTests.Run(arguments);
            Assert.Equal(2, status);
            return errors;
        }
        Assert.Equal("error: Give either --reference FILE or --held-out FILE.\n", Errors("normalize", "--model", "m"));
        Assert.Equal("error: Give either --run DIR or --model DIR.\n", Errors("export", "--output", "x"));
        Assert.Equal(
            "error: --step chooses weights of a run; give it with --run.\n", Errors("export", "--model", "m", "--step", "last", "--output", "x"));
        Assert.Equal(
            "error: --fold-normalizer needs a normaliser, which a run's weights don't have; give --model, such as the run's directory.\n",
            Errors("export", "--run", "m", "--fold-normalizer", "--output", "x"));
    }

    [Fact]
    public void Another_trainer_s_head_with_a_bias_is_exported_before_it_is_normalised()
    {
        using (var model = new ScoringModel(TinyModel.Create()))
            model.Save(directory["foreign"]);
        File.Delete(directory["foreign/reward_model.json"]);
        var config = JsonNode.Parse(File.ReadAllText(directory["foreign/config.json"]))!;
        (config["mean"], config["std"]) = (0.5, 2.0);
        File.WriteAllText(directory["foreign/config.json"], config.ToJsonString());
        string[] normalize = ["--held-out", directory["held-out.jsonl"]];
        var (status, _, errors) = CommandLineTests.Run(["normalize", "--model", directory["foreign"], .. normalize]);
        Assert.Equal(1, status);
        Assert.EndsWith(
            "there is no reward_model.json, and a head with a bias or 'mean' and 'std' in config.json: another trainer's model. "
            + "Export it first (reward-model export --model), which brings it into this form.\n", errors);
        Assert.False(File.Exists(directory["foreign/reward_model.json"]));
        Assert.Equal(0, CommandLineTests.Run("export", "--model", directory["foreign"], "--output", directory["own"]).Status);
        Assert.Equal(0, CommandLineTests.Run(["normalize", "--model", directory["own"], .. normalize]).Status);
    }

    [Fact]
    public void An_export_of_such_a_run_says_that_its_rewards_are_raw()
    {
        new TrainingRun(Options with { Normalize = "held-out" }).Run();
        var (status, _, errors) = CommandLineTests.Run("export", "--run", directory["model"], "--output", directory["exported"]);
        Assert.Equal(
            (0, "warning: the exported model's rewards are raw, unlike those that its run ends with; reward-model normalize gives them a scale\n"),
            (status, errors));
    }

    private void Write<T>(string name, IEnumerable<T> lines) =>
        File.WriteAllLines(directory[name], lines.Select(line => JsonSerializer.Serialize(line)));

    private double[] RewardsOf(string model, string data)
    {
        using var scoring = ScoringModel.Load(model);
        using var rows = new RankedListFiles(directory[data]).Open(areToScore: true);
        return [.. scoring.Score([.. rows.Read().Select(row => row.List!)]).SelectMany(list => list).Select(reward => (double)reward)];
    }

    private sealed class StopAfter(CancellationTokenSource stop, int step) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport && value.Step == step)
                stop.Cancel();
        }
    }
}
