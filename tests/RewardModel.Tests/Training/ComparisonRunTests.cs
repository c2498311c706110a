using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training;

namespace RewardModel.Tests.Training;

[Collection(nameof(RunsAlone))]
public sealed class ComparisonRunTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly TokenizerFolder tokenizer = TokenizerFolder.ByteLevel();

    public ComparisonRunTests()
    {
        Save("first", seed: 3, maxLength: 96);
        Save("second", seed: 4, maxLength: 96);
        File.WriteAllLines(directory["test.jsonl"], Enumerable.Range(0, 30).Select(i => JsonSerializer.Serialize(
            new { prompt = $"question {i}", answers = Enumerable.Range(0, 2 + i % 3).Select(k => $"answer {i * k} {new string('x', k)}") })));
    }

    public void Dispose()
    {
        tokenizer.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Differences_wins_and_disagreements_are_those_of_both_models_scores()
    {
        var comparison = Run("first", "second");
        using var first = ScoringModel.Load(directory["first"]);
        using var second = ScoringModel.Load(directory["second"]);
        int pairs = 0, firstRight = 0, secondRight = 0, firstOnly = 0, secondOnly = 0, agreed = 0;
        foreach (var list in RankedListReader.Read(directory["test.jsonl"]).Lists)
        {
            var (ofFirst, ofSecond) = (first.Score(list.Prompt, list.Answers), second.Score(list.Prompt, list.Answers));
            for (var better = 0; better < list.Answers.Count; better++)
                for (var worse = better + 1; worse < list.Answers.Count; worse++)
                {
                    var (isFirst, isSecond) = (ofFirst[better] > ofFirst[worse], ofSecond[better] > ofSecond[worse]);
                    pairs++;
                    firstRight += isFirst ? 1 : 0;
                    secondRight += isSecond ? 1 : 0;
                    firstOnly += isFirst && !isSecond ? 1 : 0;
                    secondOnly += isSecond && !isFirst ? 1 : 0;
                    agreed += isFirst == isSecond ? 1 : 0;
                }
        }
        var difference = Assert.Single(comparison.Differences);
        Assert.Equal((double)(firstRight - secondRight) / pairs, difference.Difference, 1e-9);
        Assert.Equal((firstOnly, secondOnly), (difference.FirstOnlyCount, difference.SecondOnlyCount));
        Assert.Equal((double)agreed / pairs, difference.Agreement, 1e-9);
        Assert.InRange(difference.Difference, difference.Low, difference.High);
        Assert.True(firstOnly > 0 && secondOnly > 0);

        var table = comparison.Tables.Single(table => table.By == "answers");
        Assert.Equal(["2", "3", "4"], table.Rows.Select(row => row.Name));
        Assert.Equal(firstOnly, table.Rows.Sum(row => row.Wins[0][1]));
        Assert.Equal(secondOnly, table.Rows.Sum(row => row.Wins[1][0]));

        Assert.NotEmpty(comparison.Disagreements);
        Assert.All(comparison.Disagreements, disagreement =>
        {
            Assert.Equal(["first", "second"], disagreement.Rewards.Select(rewards => Path.GetFileName(rewards.Model)));
            Assert.True((disagreement.Rewards[0].Better > disagreement.Rewards[0].Worse) != (disagreement.Rewards[1].Better > disagreement.Rewards[1].Worse));
            Assert.Equal(disagreement.Pair.Better.Reward, disagreement.Rewards[0].Better);
        });
        var json = JsonNode.Parse(comparison.ToJson())!["differences"]![0]!;
        Assert.Equal((difference.Difference, firstOnly), ((double)json["difference"]!, (int)json["first_only_count"]!));
    }

    [Fact]
    public void The_order_of_the_models_turns_the_difference()
    {
        var (one, other) = (Run("first", "second").Differences[0], Run("second", "first").Differences[0]);
        Assert.Equal(one.Difference, -other.Difference, 1e-12);
        Assert.Equal((one.FirstOnlyCount, one.SecondOnlyCount), (other.SecondOnlyCount, other.FirstOnlyCount));
        Assert.Equal(one.Probability, other.Probability, 0.05);
    }

    [Fact]
    public void A_model_that_is_the_same_as_another_differs_by_nothing()
    {
        Save("copy", seed: 3, maxLength: 96);
        var difference = Run("first", "copy").Differences[0];
        Assert.Equal((0.0, 0L, 0L, 1.0), (difference.Difference, difference.FirstOnlyCount, difference.SecondOnlyCount, difference.Agreement));
        Assert.Equal(1, difference.Probability);
    }

    [Fact]
    public void Three_models_are_compared_two_by_two()
    {
        Save("third", seed: 5, maxLength: 96);
        var comparison = Run("first", "second", "third");
        Assert.Equal(3, comparison.Models.Count);
        Assert.Equal(3, comparison.Differences.Count);
        var accuracies = comparison.Models.ToDictionary(model => model.Name, model => model.Metrics.Accuracy);
        Assert.All(
            comparison.Differences, difference => Assert.Equal(accuracies[difference.First] - accuracies[difference.Second], difference.Difference, 1e-9));
    }

    [Fact]
    public void Too_few_models_standard_input_and_data_without_pairs_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ComparisonRun([directory["first"]]));
        Assert.Throws<ArgumentException>(() => new ComparisonRun([directory["first"], directory["first"]]));
        var run = new ComparisonRun([directory["first"], directory["second"]]);
        Assert.Contains("only once", Assert.Throws<RankedDataException>(() => run.Run(new RankedListFiles("-"))).Message);
        File.WriteAllText(directory["single.jsonl"], """{"prompt": "p", "answers": ["a"]}""");
        Assert.Contains("no ordered pair", Assert.Throws<RankedDataException>(() => run.Run(new RankedListFiles(directory["single.jsonl"]))).Message);
    }

    private RewardModel.Training.Evaluation.ModelComparison Run(params string[] models) =>
        new ComparisonRun([.. models.Select(model => directory[model])]).Run(new RankedListFiles(directory["test.jsonl"]));

    private void Save(string name, long seed, int maxLength)
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using var transformer = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: seed);
        using var model = new ScoringModel(transformer, HuggingFaceTokenizer.Load(tokenizer.Directory), maxLength);
        model.Save(directory[name]);
    }
}
