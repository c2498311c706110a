using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Cli;
using RewardModel.Tests.Distributed;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Distributed;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Heads with an output for each attribute, trained on ratings of these, alone and beside the order of the rewards that they make.</summary>
[Collection(nameof(RunsAlone))]
public class AttributeRegressionTests
{
    private static readonly string[] names = ["helpfulness", "verbosity"];
    private static readonly OutputWeights weights = OutputWeights.Named(("helpfulness", 1), ("verbosity", -0.5));

    private static readonly TrainingOptions options = new()
    {
        Loss = "none",
        Pointwise = PointwiseLoss.Attributes,
        BestBy = BestBy.Loss,
        LearningRate = 3e-3,
        ListsPerStep = 16,
    };

    private static RankingLoss Loss(TrainingOptions of) => RankingLoss.Of(of.LossOptions with { OutputNames = names });

    /// <summary>
    /// Of the first list ((1 - 2)^2 + (3 - 3)^2 + (0 - 4)^2) / 3 = 17 / 3, of the second one (2 - 1)^2 = 1 with weight 2; the third one has no
    /// attribute that an output is called by, and the others none at all: they are not counted.
    /// </summary>
    [Fact]
    public void The_loss_is_the_mean_over_ratings_and_then_over_lists()
    {
        RankingList[] lists =
        [
            new([0, 0]) { Attributes = [Rated(("helpfulness", 2), ("verbosity", 3), ("humour", 9)), Rated(("verbosity", 4))] },
            new([0]) { Attributes = [Rated(("helpfulness", 1))], Weight = 2 },
            new([1]) { Attributes = [Rated(("humour", 1))] },
            new([1, 0]) { Attributes = [Rated(), Rated()] },
            new([1]),
        ];
        float[][] outputs = [[1, 3], [7, 0], [2, 5], [4, 4], [1, 1], [1, 1], [1, 1]];
        var loss = Loss(options);
        using var targets = loss.TargetsOf(lists);
        using var ofOutputs = tensor([.. outputs.SelectMany(ofAnswer => ofAnswer)]).view(7, 2).requires_grad_();
        using var rewards = zeros(7);
        using var sum = loss.Sum(rewards, targets, ofOutputs);
        Assert.Equal(2, targets.Divisor);
        Assert.Equal(17 / 3.0 + 2, sum.item<float>(), 1e-6);
        sum.backward();
        Assert.Equal([-2 / 3f, 0, 0, -8 / 3f, 4, .. new float[9]], ofOutputs.grad!.data<float>().ToArray());
        Assert.Equal(["attributes"], loss.TermNames);

        var metrics = new RankingMetricsAccumulator(loss, names);
        for (int l = 0, first = 0; l < lists.Length; first += lists[l].Scores.Count, l++)
            metrics.Add(new float[lists[l].Scores.Count], lists[l], outputsOfAnswers: outputs[first..(first + lists[l].Scores.Count)]);
        Assert.Equal((17 / 3.0 + 2) / 2, metrics.Result.Loss, 1e-12);
        Assert.Equal(
            [new AttributeMetrics("helpfulness", 2, 1, -1), new AttributeMetrics("verbosity", 2, 8, -1)], metrics.Result.Attributes);
    }

    [Fact]
    public void Without_outputs_there_is_no_such_loss()
    {
        var loss = Loss(options);
        Assert.True(loss.ReadsOutputs);
        using var targets = loss.TargetsOf([new RankingList([1])]);
        using var rewards = zeros(1);
        Assert.Equal(
            "The loss reads the outputs of the head, one for each attribute, and none are given; expected those that the rewards are of. (Parameter "
            + "'outputs')",
            Assert.Throws<ArgumentException>(() => loss.Sum(rewards, targets)).Message);
        Assert.Equal(
            "The loss can't be used: OutputNames are not given; expected the names of the head's outputs, which differ. (Parameter 'options')",
            Assert.Throws<ArgumentException>(() => RankingLoss.Of(options.LossOptions)).Message);
    }

    [Fact]
    public void Rewards_are_those_of_outputs()
    {
        using var model = Model();
        using var scope = NewDisposeScope();
        using var sequences = model.Pack([TinyModel.List(1, 4, 3, 2)]);
        using var pass = new RewardModel.Layers.ForwardPass(sequences);
        var outputs = model.OutputsOf(pass);
        Assert.Equal([2, 2], outputs.shape);
        Assert.Equal(model.forward(sequences).data<float>().ToArray(), model.RewardsOf(outputs).data<float>().ToArray());
        Assert.Equal(
            "The outputs have the shape [2, 1]; expected [N, 2], as OutputsOf gives them. (Parameter 'outputs_NO')",
            Assert.Throws<ArgumentException>(() => model.RewardsOf(outputs.narrow(1, 0, 1))).Message);
    }

    // Whole, in micro-batches, and a list in parts; with answers that are equal, unrated ones, and pairs of the rewards beside.
    [Theory]
    [InlineData("none", 8192)]
    [InlineData("log-sigmoid", 8192)]
    [InlineData("log-sigmoid", 14)]
    [InlineData("log-sigmoid", 1)]
    public void The_gradient_is_that_of_squared_errors_of_single_sequences(string order, int maxTokensPerBatch)
    {
        var run = options with { Loss = order, PointwiseWeight = 0.7, MaxTokensPerBatch = maxTokensPerBatch };
        using var model = Model();
        model.train();
        var equal = TinyModel.List(3, 4, 3, 2, 3);
        TokenizedList[] lists =
        [
            TinyModel.List(1, 5, 4, 2, 3) with { Attributes = [Rated(("helpfulness", 3), ("verbosity", 1)), Rated(), Rated(("verbosity", -2))] },
            TinyModel.List(2, 3, 2, 2) with { Weight = 0.5, Attributes = [Rated(("helpfulness", 0.25)), Rated(("helpfulness", -1))] },
            equal with
            {
                AnswerIds = [equal.AnswerIds[0], equal.AnswerIds[1], equal.AnswerIds[0]],
                Attributes = [Rated(("helpfulness", 1)), Rated(("verbosity", 2)), Rated(("helpfulness", 2), ("verbosity", 0))],
            },
            TinyModel.List(4, 2, 1, 3),
        ];
        var count = order == "none" ? 3 : 4;
        using var scope = NewDisposeScope();
        var total = zeros(1);
        foreach (var list in lists)
        {
            var outputs = cat(list.AnswerIds.Select(ids =>
            {
                using var pass = new RewardModel.Layers.ForwardPass(PackedSequences.Pack([new TokenizedList([], [[.. list.PromptIds, .. ids]], [0])]));
                return model.OutputsOf(pass);
            }).ToArray());
            var ratings = list.Attributes?.SelectMany((rated, k) => rated.Select(rating =>
                outputs[k, Array.IndexOf(names, rating.Key)].sub(rating.Value).square())).ToArray();
            if (ratings is not null)
                total = total.add(stack(ratings).mean().mul(0.7 * list.Weight));
            if (order == "none")
                continue;
            var rewards = outputs.select(1, 0).sub(outputs.select(1, 1).mul(0.5));
            var pairs = new List<Tensor>();
            for (var i = 0; i < list.Scores.Count; i++)
                for (var j = i + 1; j < list.Scores.Count; j++)
                    if (!list.AnswerIds[i].SequenceEqual(list.AnswerIds[j]))
                        pairs.Add(nn.functional.logsigmoid(rewards[i].sub(rewards[j])).neg());
            total = total.add(stack(pairs).mean().mul(list.Weight));
        }
        total.div(count).backward();
        var expected = TakenGradients.Of(model);

        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        var result = new StepGradients(model, trained, Loss(run), run).Add(lists, step: 0, () => 0);
        Assert.Equal(total.div(count).item<float>(), result.Terms.Sum(), 1e-5);
        TakenGradients.AssertEqual(expected, TakenGradients.Of(model));
    }

    [Fact]
    public void Outputs_learn_what_they_are_called()
    {
        using var model = Model();
        var result = new Trainer(model, options with { Steps = 150, ListsPerStep = 32 }, Task(600, seed: 1), Task(100, seed: 2)).Train();
        var (first, best) = (result.BestEvaluation!.Metrics.Attributes!, result.BestEvaluation!.Metrics);
        Assert.Equal(names, first.Select(attribute => attribute.Name));
        Assert.All(first, attribute => Assert.InRange(attribute.Correlation, 0.9, 1));
        // The ratings' variances are 2 and 0.9.
        Assert.InRange(first[0].MeanSquaredError, 0, 0.4);
        Assert.InRange(first[1].MeanSquaredError, 0, 0.2);
        Assert.Equal(first.Average(attribute => attribute.MeanSquaredError), best.Loss, 0.05);
        // No list has a pair.
        Assert.True(double.IsNaN(best.Accuracy));
    }

    [Fact]
    public void Ranks_come_to_what_one_process_comes_to()
    {
        var run = options with { Steps = 4, ListsPerStep = 6, Loss = "log-sigmoid" };
        TokenizedList[] train = Ranked(Task(40, seed: 1)), heldOut = Ranked(Task(13, seed: 2));
        using var alone = Model();
        var expected = new Trainer(alone, run, train, heldOut).Train().FinalEvaluation!.Metrics;
        ThreadCollective.Run(2, ranks =>
        {
            using var model = Model();
            var found = new Trainer(model, run, train, heldOut, ranks: ranks).Train().FinalEvaluation!.Metrics;
            Assert.Equal(expected.Loss, found.Loss, 1e-5);
            foreach (var (one, several) in expected.Attributes!.Zip(found.Attributes!))
            {
                Assert.Equal((one.Name, one.Count), (several.Name, several.Count));
                Assert.Equal(one.MeanSquaredError, several.MeanSquaredError, 1e-5);
                Assert.Equal(one.Correlation, several.Correlation, 1e-4);
            }
        });

        static TokenizedList[] Ranked(TokenizedList[] lists) =>
            [.. lists.Select(list => list with { Scores = [.. list.Scores.Select((_, k) => (double)k)] })];
    }

    [Fact]
    public void What_can_t_be_trained_is_refused()
    {
        using var single = TinyModel.Create();
        var rated = TinyModel.List(1, 3, 2) with { Attributes = [Rated(("humour", 1), ("b", 2))] };
        Assert.Equal(
            "Pointwise (--pointwise) is attributes, and the model's head has one output; expected one for each attribute. Name them and what they "
            + "count in a reward (--output-weights NAME=X,NAME=X); the training lists' attributes are: b, humour. For scores of one kind use "
            + "regression.",
            Assert.Throws<ArgumentException>(() => new Trainer(single, options with { Steps = 1 }, [rated], [])).Message);
        using var model = Model();
        Assert.Equal(
            "Pointwise (--pointwise) is attributes, and no answer of the training lists has an attribute that an output of the model is called by; "
            + "expected some of helpfulness, verbosity. The training lists' attributes are: none. (Parameter 'trainLists')",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options with { Steps = 1 }, [TinyModel.List(1, 3, 2)], [])).Message);
        var huge = rated with { Attributes = [Rated(("helpfulness", 1e39))], Source = new SourceLine("a.jsonl", 3) };
        Assert.Equal(
            "The attribute 'helpfulness' at a.jsonl:3 is 1E+39; expected a number from -1000000000000000 to 1000000000000000.",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options with { Steps = 1 }, [huge], [])).Message);
        Assert.Contains(
            "RewardPositions (--reward-positions) is all; expected last, because Pointwise (--pointwise) is attributes",
            Assert.Throws<OptionsException>(
                () => new Trainer(model, options with { Loss = "log-sigmoid", RewardPositions = RewardPositions.All }, [rated], [])).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(2)]
    public void A_run_on_rated_answers_leaves_a_model_that_gives_them(int? loraRank)
    {
        using var directory = new TemporaryDirectory();
        using (var backbone = TinyModel.Create())
        {
            using var saved = new ScoringModel(backbone, tokenizer: null);
            saved.Save(directory["backbone"]);
        }
        // A language model has no head.
        RemoveHead(directory["backbone"]);
        File.WriteAllLines(directory["rated.jsonl"], Task(60, seed: 1).Select(list => RewardModel.Layouts.OwnRow.Of(list)));
        var run = new TrainingRunOptions
        {
            Data = new RewardModel.Reading.DataPaths(directory["rated.jsonl"]),
            Backbone = directory["backbone"],
            Output = directory["model"],
            OutputWeights = "helpfulness=1,verbosity=-0.5",
            EvaluationFraction = 0.2,
            Loss = "none",
            Pointwise = PointwiseLoss.Attributes,
            BestBy = BestBy.Last,
            Schedule = RewardModel.Training.Optimization.ScheduleKind.Constant,
            LearningRate = 3e-3,
            ListsPerStep = 8,
            Steps = 6,
            LoraRank = loraRank,
        };
        new TrainingRun(run with { Output = directory["straight"] }).Run();
        new TrainingRun(run with { Steps = 3 }).Run();
        new TrainingRun(run with { Resume = true }).Run();
        var file = loraRank is null ? "model.safetensors" : "adapter_model.safetensors";
        Assert.Equal(File.ReadAllBytes(directory[$"straight/{file}"]), File.ReadAllBytes(directory[$"model/{file}"]));

        // An adapter too knows its outputs, of which its base model's config.json says nothing.
        using var model = ScoringModel.Load(directory["model"]);
        Assert.Equal(names, model.Transformer.Outputs.Names);
        Assert.Equal([1, -0.5], model.Transformer.Outputs.Weights);
        var lists = Task(5, seed: 3);
        var (rewards, outputs) = model.Scorer().ScoreWithOutputs(lists, null, CancellationToken.None);
        for (var l = 0; l < lists.Length; l++)
            for (var k = 0; k < rewards[l].Length; k++)
                Assert.Equal(outputs![l][k][0] - 0.5f * outputs[l][k][1], rewards[l][k]);
        Assert.Contains("\"attributes\"", File.ReadAllText(Path.Combine(directory["model"], "training", "log.jsonl")), StringComparison.Ordinal);
        // No list has an order; ratings are measured all the same.
        var written = RewardEvaluation.FromJson(File.ReadAllText(directory["model/training/evaluation.json"])).Metrics;
        Assert.Equal(0, written.PairCount);
        Assert.Equal(names, written.Attributes!.Select(attribute => attribute.Name));
        var card = File.ReadAllText(directory["model/README.md"]);
        Assert.Contains("name: Mean squared error of verbosity", card, StringComparison.Ordinal);
        Assert.Contains("| verbosity | mean squared error ", card, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", card, StringComparison.Ordinal);
        if (loraRank is null)
            return;
        var inspection = ModelInspection.Of(directory["model"]);
        Assert.Equal(names, inspection.Outputs!.Names);
        Assert.Empty(inspection.Problems);
        // Other weights are given by the saved names, in any order; those that are not named count 0.
        using (var other = ScoringModel.Load(directory["model"], outputWeights: OutputWeights.Named(("verbosity", 2), ("helpfulness", 0.25))))
            Assert.Equal([.. names, "0.25", "2"], Shown(other));
        using (var second = ScoringModel.Load(directory["model"], outputWeights: OutputWeights.Named(("verbosity", 2))))
            Assert.Equal([0, 2], second.Transformer.Outputs.Weights);
        using (var inOrder = ScoringModel.Load(directory["model"], outputWeights: [3, 4]))
            Assert.Equal([.. names, "3", "4"], Shown(inOrder));
        var rule = Path.Combine(directory["model"], "reward_model.json");
        var text = File.ReadAllText(rule);
        File.WriteAllText(rule, text.Replace("\"verbosity\":", "\"\":", StringComparison.Ordinal));
        Assert.Equal(
            ["the file is invalid: The names of outputs are 'helpfulness', ''; expected names that differ, none of them empty. (Parameter 'weights')"],
            Assert.Throws<CheckpointException>(() => ScoringModel.Load(directory["model"])).Problems);
        File.WriteAllText(rule, text);
        using var merged = new TemporaryDirectory();
        model.Transformer.MergeAdapter();
        model.Save(merged.Path);
        using var whole = ScoringModel.Load(merged.Path);
        Assert.Equal(names, whole.Transformer.Outputs.Names);
        Assert.InRange(
            Numbers.LargestDifference([.. rewards.SelectMany(list => list)], [.. whole.Scorer().Score(lists).SelectMany(list => list)]), 0, 1e-5);
    }

    /// <summary>Beside the figures themselves, worked out here of what the model gives: what is told of pairs is left out.</summary>
    [Fact]
    public void Ratings_are_evaluated_where_nothing_has_an_order()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(Model(), tokenizer: null);
        model.Save(directory["model"]);
        var lists = Task(30, seed: 2);
        void Write(string name, IEnumerable<TokenizedList> rows) => File.WriteAllLines(directory[name], rows.Select(list => RewardModel.Layouts.OwnRow.Of(list)));
        Write("rated.jsonl", lists);
        var (_, outputs) = model.Scorer().ScoreWithOutputs(lists, null, CancellationToken.None);
        var expected = lists.Zip(outputs!).SelectMany(pair => pair.First.Attributes!.Zip(pair.Second))
            .Where(answer => answer.First.ContainsKey("verbosity")).Select(answer => Math.Pow(answer.Second[1] - answer.First["verbosity"], 2)).ToArray();

        var (code, json, _) = CommandLineTests.Run("evaluate", "--model", directory["model"], "--data", directory["rated.jsonl"], "--json");
        Assert.Equal(0, code);
        var evaluation = RewardEvaluation.FromJson(json);
        var verbosity = evaluation.Metrics.Attributes!.Single(attribute => attribute.Name == "verbosity");
        Assert.Equal((0, expected.Length), (evaluation.Metrics.PairCount, (int)verbosity.Count));
        Assert.Equal(expected.Average(), verbosity.MeanSquaredError, 1e-5);

        var (_, text, _) = CommandLineTests.Run(
            "evaluate", "--model", directory["model"], "--data", directory["rated.jsonl"], "--html", directory["report.html"]);
        Assert.StartsWith($"30 lists, {lists.Sum(list => list.AnswerIds.Count)} answers, 0 pairs: squared error of attributes ", text, StringComparison.Ordinal);
        Assert.Contains("\nverbosity             mean squared error ", text, StringComparison.Ordinal);
        var html = File.ReadAllText(directory["report.html"]);
        Assert.Contains("<b>mean squared error of attributes</b>", html, StringComparison.Ordinal);
        Assert.All([text, html[..html.IndexOf("<script", StringComparison.Ordinal)]], told => Assert.DoesNotContain("NaN", told, StringComparison.Ordinal));

        Write("others.jsonl", lists.Select(list => new TokenizedList(list.PromptIds, list.AnswerIds, list.Scores) { Attributes = [.. list.AnswerIds.Select(_ => Rated(("humour", 1)))] }));
        var (refused, _, error) = CommandLineTests.Run("evaluate", "--model", directory["model"], "--data", directory["others.jsonl"]);
        Assert.NotEqual(0, refused);
        Assert.Contains(
            "have no ordered pair, and no attribute that an output is called by, so there is nothing to measure; expected lists of two or more answers that "
                + "are not all tied or equal, or answers rated by helpfulness, verbosity.",
            error, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Shown(ScoringModel model) =>
        [.. model.Transformer.Outputs.Names, .. model.Transformer.Outputs.Weights.Select(weight => FormattableString.Invariant($"{weight}"))];

    private static void RemoveHead(string directory)
    {
        using var scope = NewDisposeScope();
        (string, Tensor)[] tensors;
        using (var reader = CheckpointReader.Open(directory))
            tensors = [.. reader.Names.Where(name => name != "score.weight").Select(name => (name, reader.Read(name)))];
        File.Delete(Path.Combine(directory, "reward_model.json"));
        CheckpointWriter.Write(directory, tensors);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "config.json")))!.AsObject();
        foreach (var setting in new[] { "num_labels", "id2label", "label2id", "architectures" })
            config.Remove(setting);
        File.WriteAllText(Path.Combine(directory, "config.json"), config.ToJsonString());
    }

    private static RewardTransformer Model() =>
        RewardTransformer.FromConfig(HuggingFaceConfig.Parse(TinyModel.Config("llama").ToJsonString(), "config.json").With(weights), seed: 1);

    private static Dictionary<string, double> Rated(params (string Name, double Value)[] ratings) =>
        ratings.ToDictionary(rating => rating.Name, rating => rating.Value);

    /// <summary>An answer of one digit and some marks: it is as helpful as the digit says, and as verbose as it is long. Some are not rated.</summary>
    private static TokenizedList[] Task(int count, ulong seed)
    {
        var random = new SplitMix64(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                var (answers, ratings) = (new List<int[]>(), new List<Dictionary<string, double>>());
                for (var k = 1 + random.NextBelow(3); k > 0; k--)
                {
                    int digit = random.NextBelow(5), length = random.NextBelow(4);
                    answers.Add([digit, .. Enumerable.Repeat(21, length), 22]);
                    var rated = Rated(("helpfulness", digit - 2), ("verbosity", (length - 1.5) * 0.85));
                    if (random.NextBelow(4) == 0)
                        rated.Remove(names[random.NextBelow(2)]);
                    ratings.Add(rated);
                }
                return new TokenizedList([30 + random.NextBelow(20)], answers, new double[answers.Count]) { Attributes = ratings };
            }),
        ];
    }
}
