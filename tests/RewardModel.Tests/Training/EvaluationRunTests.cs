using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;
using RewardModel.Training;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Reporting;

namespace RewardModel.Tests.Training;

[Collection(nameof(RunsAlone))]
public sealed class EvaluationRunTests : IDisposable
{
    private static readonly string[] words = ["red", "green", "blue", "a b", "long answer with words", "x"];

    private readonly TemporaryDirectory directory = new();
    private readonly TokenizerFolder tokenizer = TokenizerFolder.ByteLevel();
    private readonly RewardEnsemble model;

    public EvaluationRunTests()
    {
        model = Load("model", seed: 3);
        Write("test.jsonl", 40);
    }

    public void Dispose()
    {
        model.Dispose();
        tokenizer.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Figures_are_those_of_the_models_own_scores()
    {
        var lists = RankedListReader.Read(directory["test.jsonl"]).Lists;
        var evaluation = new EvaluationRun(model).Run(new RankedListFiles(directory["test.jsonl"]) { GroupBy = "topic" });
        var (right, pairs) = (0.0, 0);
        var (longer, unequal) = (0, 0);
        foreach (var list in lists)
        {
            var rewards = model.Score(list.Prompt, list.Answers);
            for (var i = 0; i < rewards.Length; i++)
                for (var j = 0; j < rewards.Length; j++)
                    if (list.Scores[i] > list.Scores[j] && list.Answers[i] != list.Answers[j])
                    {
                        (right, pairs) = (right + (rewards[i] > rewards[j] ? 1 : rewards[i] == rewards[j] ? 0.5 : 0), pairs + 1);
                        var (better, worse) = (LengthOf(list.Answers[i]), LengthOf(list.Answers[j]));
                        (longer, unequal) = (longer + (better > worse ? 1 : 0), unequal + (better != worse ? 1 : 0));
                    }
        }
        Assert.Equal(pairs, evaluation.Metrics.PairCount);
        Assert.Equal(right / pairs, evaluation.Metrics.Accuracy, 1e-9);
        Assert.Equal(["blue", "red"], evaluation.Tables.Single(table => table.By == "group").Rows.Select(row => row.Name).Order());
        Assert.Equal(pairs, evaluation.Tables.Single(table => table.By == "group").Rows.Sum(row => row.PairCount));
        Assert.Equal((double)longer / unequal, evaluation.Length!.LongerIsBetter, 1e-9);

        int LengthOf(string answer) => model.Members[0].Tokenizer!.Encode(answer, addSpecialTokens: false).Count;
    }

    [Fact]
    public void The_most_wrong_pairs_are_shown_as_the_model_reads_them()
    {
        var evaluation = new EvaluationRun(model).Run(new RankedListFiles(directory["test.jsonl"]));
        Assert.Equal(20, evaluation.MostWrong.Count);
        var lists = RankedListReader.Read(directory["test.jsonl"]).Lists.ToDictionary(list => list.Source.ToString());
        foreach (var pair in evaluation.MostWrong)
        {
            var list = lists[pair.Source];
            Assert.Equal(list.Prompt, string.Concat(pair.Prompt.Start));
            var (better, worse) = (IndexOf(list, pair.Better), IndexOf(list, pair.Worse));
            Assert.True(list.Scores[better] > list.Scores[worse]);
            var rewards = model.Score(list.Prompt, list.Answers);
            Assert.Equal(rewards[better], pair.Better.Reward, 1e-5);
            Assert.Equal(rewards[worse], pair.Worse.Reward, 1e-5);
        }
        var differences = evaluation.MostWrong.Select(pair => pair.Better.Reward - pair.Worse.Reward).ToArray();
        Assert.Equal(differences.Order(), differences);
        Assert.True(differences[0] < 0);

        static int IndexOf(RankedList list, ShownAnswer answer) => list.Answers.ToList().IndexOf(string.Concat(answer.Tokens.Start));
    }

    [Fact]
    public void The_order_of_answers_changes_nothing_and_white_space_something()
    {
        var checks = new EvaluationRun(model).Run(new RankedListFiles(directory["test.jsonl"])).Consistency.ToDictionary(check => check.Edit);
        Assert.Equal(["double-spaces", "order", "trailing-space"], checks.Keys.Order());
        Assert.Equal(0, checks["order"].LargestChange);
        Assert.Equal(0, checks["order"].ChangedPairShare);
        Assert.Equal(40, checks["order"].ListCount);
        Assert.True(checks["trailing-space"].MeanChange > 0);
        // Independently: one list by itself.
        var list = RankedListReader.Read(directory["test.jsonl"]).Lists[0];
        Write("one.jsonl", 1);
        var one = new EvaluationRun(model).Run(new RankedListFiles(directory["one.jsonl"])).Consistency.Single(check => check.Edit == "trailing-space");
        var changes = model.Score(list.Prompt, list.Answers)
            .Zip(model.Score(list.Prompt, [.. list.Answers.Select(answer => answer + " \n")]), (before, after) => Math.Abs((double)before - after)).ToArray();
        Assert.Equal(changes.Average(), one.MeanChange, 1e-5);
        Assert.Equal(changes.Max(), one.LargestChange, 1e-5);
    }

    [Fact]
    public void Reference_answers_are_told_beside()
    {
        File.WriteAllLines(directory["reference.jsonl"], ["""{"prompt": "p", "answers": ["good", "bad"]}""", """{"prompt": "q", "answers": ["fine"]}"""]);
        var evaluation = new EvaluationRun(model) { Reference = new RankedListFiles(directory["reference.jsonl"]) }
            .Run(new RankedListFiles(directory["test.jsonl"]));
        float[] references = [model.Score("p", "good")[0], model.Score("q", "fine")[0]];
        Assert.Equal(2, evaluation.Reference!.Count);
        Assert.Equal(references.Average(), evaluation.Reference.Mean, 1e-5);
        Assert.Equal(evaluation.Reference.Mean / evaluation.Metrics.RewardStandardDeviation, evaluation.Reference.Drift, 1e-5);
        Assert.Null(new EvaluationRun(model).Run(new RankedListFiles(directory["test.jsonl"])).Reference);
    }

    [Fact]
    public void Lists_that_are_cut_are_a_row_of_their_own()
    {
        File.WriteAllLines(directory["long.jsonl"],
        [
            JsonSerializer.Serialize(new { prompt = new string('p', 120), answers = new[] { "a", "b" } }),
            JsonSerializer.Serialize(new { prompt = "p", answers = new[] { "a", "b" } }),
        ]);
        var table = new EvaluationRun(model).Run(new RankedListFiles(directory["long.jsonl"])).Tables.Single(table => table.By == "truncation");
        Assert.Equal(["whole", "cut"], table.Rows.Select(row => row.Name));
        Assert.All(table.Rows, row => Assert.Equal(1, row.PairCount));
    }

    [Fact]
    public void Data_without_a_pair_and_unknown_losses_are_refused()
    {
        File.WriteAllText(directory["single.jsonl"], """{"prompt": "p", "answers": ["a"]}""");
        Assert.Contains(
            "no ordered pair", Assert.Throws<RankedDataException>(() => new EvaluationRun(model).Run(new RankedListFiles(directory["single.jsonl"]))).Message);
        Assert.Contains("'none-such'", Assert.Throws<ArgumentException>(() => new EvaluationRun(model) { Loss = "none-such" }).Message);
    }

    [Fact]
    public void The_end_of_a_training_has_the_same_evaluation_as_the_saved_model()
    {
        Write("train.jsonl", 60);
        var options = new TrainingRunOptions
        {
            Data = directory["train.jsonl"],
            EvaluationData = directory["test.jsonl"],
            Backbone = directory["model"],
            Output = directory["trained"],
            Steps = 3,
            ListsPerStep = 8,
            LearningRate = 1e-3,
            Normalize = "held-out",
        };
        var result = new TrainingRun(options).Run();
        var written = RewardEvaluation.FromJson(File.ReadAllText(directory["trained/training/evaluation.json"]));
        using var trained = RewardEnsemble.Load([directory["trained"]]);
        var expected = new EvaluationRun(trained).Run(new RankedListFiles(directory["test.jsonl"]));
        Assert.Equal(expected.Metrics, written.Metrics);
        Assert.Equal(expected.Calibration!.Temperature, written.Calibration!.Temperature);
        Assert.Equal(
            expected.MostWrong.Select(pair => (pair.Source, pair.Better.Reward)), written.MostWrong.Select(pair => (pair.Source, pair.Better.Reward)));
        Assert.Equal(expected.Consistency, written.Consistency);
        // What linear models make of the words is known only where the training lists are.
        Assert.Equal(["characters", "word-pairs", "words"], written.Baselines.Select(baseline => baseline.Name).Except(expected.Baselines.Select(baseline => baseline.Name)).Order());
        Assert.Equal(result.BestEvaluation!.Metrics.Accuracy, written.Metrics.Accuracy);
        Assert.Equal(0, written.Metrics.RewardMean, 1e-4);

        Assert.Contains("<!DOCTYPE html>", File.ReadAllText(directory["trained/report.html"]));
        Assert.Contains("pairwise accuracy", File.ReadAllText(directory["trained/README.md"]));
        // Nothing of it stands in the way of the model.
        using var again = ScoringModel.Load(directory["trained"]);
    }

    [Fact]
    public void The_evaluation_after_a_training_can_be_cancelled_and_made_up_for()
    {
        Write("train.jsonl", 60);
        var options = new TrainingRunOptions
        {
            Data = directory["train.jsonl"],
            EvaluationData = directory["test.jsonl"],
            Backbone = directory["model"],
            Output = directory["cancelled"],
            Steps = 2,
            ListsPerStep = 4,
            MaxTokensPerBatch = 100,
        };
        using var cancellation = new CancellationTokenSource();
        var progress = new CancelInLastEvaluation(cancellation);
        Assert.Throws<OperationCanceledException>(() => new TrainingRun(options).Run(progress, cancellation.Token));
        Assert.False(File.Exists(directory["cancelled/training/evaluation.json"]));
        TrainingRun.Resume(directory["cancelled"]).Run();
        Assert.True(File.Exists(directory["cancelled/training/evaluation.json"]));
        Assert.True(File.Exists(directory["cancelled/report.html"]));
    }

    /// <summary>Cancels once lists are scored after the last evaluation of the training itself.</summary>
    private sealed class CancelInLastEvaluation(CancellationTokenSource cancellation) : IProgress<TrainingReport>
    {
        private bool isLast;

        public void Report(TrainingReport value)
        {
            if (value is EvaluationReport { Step: 2 })
                isLast = true;
            else if (isLast && value is PhaseReport)
                cancellation.Cancel();
        }
    }

    private RewardEnsemble Load(string name, long seed)
    {
        var config = TinyModel.Config("llama");
        config["vocab_size"] = 265;
        using (var transformer = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), seed: seed))
        using (var created = new ScoringModel(transformer, HuggingFaceTokenizer.Load(tokenizer.Directory)))
            created.Save(directory[name]);
        return RewardEnsemble.Load([directory[name]]);
    }

    private void Write(string name, int count) => File.WriteAllLines(directory[name], Enumerable.Range(0, count).Select(i => new JsonObject
    {
        ["prompt"] = $"question {i}",
        ["answers"] = new JsonArray([.. Enumerable.Range(0, 2 + i % 3).Select(k => JsonValue.Create($"{words[(i + k) % words.Length]} {words[(2 * i + 3 * k) % words.Length]}"))]),
        ["topic"] = i % 2 == 0 ? "red" : "blue",
    }.ToJsonString()));
}
