using System.Text.Json;
using RewardModel.Scoring;
using RewardModel.Tests.Distributed;
using RewardModel.Training;

namespace RewardModel.Tests.Training.Distributed;

/// <summary>Whole runs of ranks that are threads: files in, a model's directory out, as one process writes it.</summary>
[Collection(nameof(RunsAlone))]
public sealed class RankRunTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public RankRunTests()
    {
        // Token ids need no tokenizer.
        File.WriteAllLines(directory["train.jsonl"], Enumerable.Range(0, 60).Select(i =>
        {
            var list = TinyModel.List((ulong)i, 3 + i % 5, [3, 2 + i % 4, .. Enumerable.Repeat(4, i % 3)]);
            return JsonSerializer.Serialize(new { prompt_ids = list.PromptIds, answer_ids = list.AnswerIds });
        }));
        using var model = new ScoringModel(RankTrainingTests.Llama(), null);
        model.Save(directory["backbone"]);
    }

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(Sharding.None, false)]
    [InlineData(Sharding.Gradients, false)]
    [InlineData(Sharding.Parameters, false)]
    [InlineData(Sharding.None, true)]
    [InlineData(Sharding.Parameters, true)]
    public void The_directory_is_what_one_process_writes(Sharding sharding, bool hasAdapter)
    {
        var options = Options("one") with { LoraRank = hasAdapter ? 2 : null };
        var expected = new TrainingRun(options).Run();
        var found = new TrainingResult[3];
        ThreadCollective.Run(3, ranks => found[ranks.Rank] =
            new TrainingRun(options with { Output = directory["several"], Shard = sharding }, ranks: ranks).Run());
        Assert.All(found, result => Assert.Equal(
            expected.BestEvaluation!.Metrics.Loss, result.BestEvaluation!.Metrics.Loss, 1e-6));
        Assert.Equal(Files("one"), Files("several").Except(["training/lists"]));
        using var one = ScoringModel.Load(directory["one"]);
        using var several = ScoringModel.Load(directory["several"]);
        Assert.Equal(one.Rule.Normalizer.Mean, several.Rule.Normalizer.Mean, 1e-5);
        var lists = Enumerable.Range(500, 9).Select(i => TinyModel.List((ulong)i, 4, 5, 3)).ToArray();
        foreach (var (first, second) in one.Scorer().Score(lists).Zip(several.Scorer().Score(lists)))
            Assert.All(first.Zip(second), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        var evaluations = new[] { "one", "several" }.Select(name =>
            JsonDocument.Parse(File.ReadAllText(directory[$"{name}/training/evaluation.json"])).RootElement).ToArray();
        Assert.Equal(
            evaluations[0].EnumerateObject().Select(member => member.Name), evaluations[1].EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public void Ranks_read_their_parts_of_a_checkpoint_and_write_the_bytes_of_one_process()
    {
        // A rate that changes no bit: what is written is what was read.
        var options = Options("one") with { Steps = 1, LearningRate = 1e-30, WeightDecay = 0, Normalize = "none" };
        new TrainingRun(options).Run();
        ThreadCollective.Run(3, ranks =>
            new TrainingRun(options with { Output = directory["several"], Shard = Sharding.Parameters }, ranks: ranks).Run());
        Assert.Equal(File.ReadAllBytes(directory["one/model.safetensors"]), File.ReadAllBytes(directory["several/model.safetensors"]));
    }

    [Fact]
    public void What_the_first_rank_refuses_ends_all()
    {
        File.WriteAllText(directory["train.jsonl"], "{\"prompt_ids\": [1], \"answer_ids\": \"no\"}\n");
        Assert.Contains("answer_ids", Assert.ThrowsAny<Exception>(() => ThreadCollective.Run(2, ranks =>
            new TrainingRun(Options("several"), ranks: ranks).Run())).Message);
    }

    private TrainingRunOptions Options(string output) => new()
    {
        Data = directory["train.jsonl"],
        Backbone = directory["backbone"],
        Output = directory[output],
        Steps = 6,
        ListsPerStep = 5,
        LearningRate = 1e-4,
        EvaluationInterval = 3,
        MaxTokensPerBatch = 60,
        Normalize = "held-out",
        Threads = 1,
    };

    private string[] Files(string name) =>
    [
        .. Directory.EnumerateFileSystemEntries(directory[name], "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(directory[name], path).Replace('\\', '/'))
            .Where(path => !path.StartsWith("training/lists/", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];
}
