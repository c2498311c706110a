using RewardModel.Adapters;
using RewardModel.Cli;
using RewardModel.Distributed;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using RewardModel.Training;
using RewardModel.Training.Distributed;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Alone, because torch's count of tensors is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class StepGradientsTests
{
    // Ragged, with ties, equal answers, margins and weights.
    private static readonly TokenizedList[] lists =
    [
        .. Enumerable.Range(0, 10).Select(i => TinyModel.List((ulong)i, i % 6, 3, 1 + i % 4, 5, 2) with
        {
            Scores = i % 3 == 0 ? [2, 1, 1, 0] : [3, 2, 1, 0], Margin = i % 2 == 0 ? 0.25 * i : null, Weight = 1 + i % 3,
        }),
        TinyModel.List(50, 3, 4, 6).WithAnswers([0, 1, 0]) with { Scores = [3, 1, 2] },
    ];

    private static readonly TrainingOptions plain = new()
    {
        Steps = 8,
        LearningRate = 3e-3,
        Schedule = ScheduleKind.Constant,
        ListsPerStep = 5,
        SaveInterval = 3,
    };

    public static TheoryData<string> Names => [.. options.Keys];

    private static readonly Dictionary<string, TrainingOptions> options = new()
    {
        ["log-sigmoid, all that it has"] = plain with { Margin = "column", LabelSmoothing = 0.1, Ties = TieHandling.Half, Centering = 0.01, RewardL2 = 0.001 },
        ["log-sigmoid, per pair"] = plain with { LossNormalization = LossNormalization.PerPair, Margin = "score-difference*0.5" },
        ["log-sigmoid, all tokens"] = plain with { RewardPositions = RewardPositions.All },
        ["log-sigmoid, all tokens, all that it has"] = plain with
        {
            RewardPositions = RewardPositions.All,
            Margin = "llama2-small",
            LabelSmoothing = 0.1,
            Ties = TieHandling.Half,
            Centering = 0.01,
            Pointwise = PointwiseLoss.Levels,
            PointwiseWeight = 0.5,
        },
        ["sigmoid"] = plain with { Loss = "sigmoid" },
        ["hinge"] = plain with { Loss = "hinge" },
        ["plackett-luce"] = plain with { Loss = "plackett-luce" },
        ["top-choice"] = plain with { Loss = "top-choice" },
        ["regression alone"] = plain with { Loss = "none", Pointwise = PointwiseLoss.Regression },
        ["levels alone"] = plain with { Loss = "none", Pointwise = PointwiseLoss.Levels },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Micro_batches_and_parts_change_nothing_but_rounding(string name)
    {
        // Budgets: a whole step at once; about two lists; a single list; and parts of one list, in two passes.
        var whole = Steps(options[name] with { Steps = 2 });
        foreach (var budget in new[] { 30, 17, 6 })
            foreach (var (expected, found) in whole.Zip(Steps(options[name] with { Steps = 2, MaxTokensPerBatch = budget })))
            {
                // Rounding grows with what is rounded: a squared error is about 6 here, other losses are about 1.
                Assert.Equal(expected.Loss, found.Loss, 2e-6 * Math.Max(1, expected.Loss));
                Assert.Equal(expected.GradientNorm, found.GradientNorm, 2e-5 * Math.Max(1, expected.GradientNorm));
                Assert.Equal(expected.LossTerms?.Keys, found.LossTerms?.Keys);
            }
    }

    // All that drop something in a place of their own: embeddings, attention's weights with and without biases, what layers add, a
    // convolution, distances, heads.
    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    [InlineData("gpt_neox")]
    [InlineData("opt")]
    [InlineData("phi3")]
    [InlineData("bert")]
    [InlineData("roberta")]
    [InlineData("electra")]
    [InlineData("ernie")]
    [InlineData("xlm_roberta")]
    [InlineData("modernbert")]
    [InlineData("deberta_v2")]
    [InlineData("deberta_v2_v2style")]
    public void With_dropout_micro_batches_and_parts_change_nothing_but_rounding(string architecture)
    {
        using var model = ParityModel.Random(architecture, dropout: 0.2);
        Micro_batches_give_the_same_gradients(model, plain);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    [InlineData("bert")]
    [InlineData("deberta_v2")]
    public void With_dropout_of_adapters_they_don_t_either(string architecture)
    {
        using var model = ParityModel.Random(architecture);
        model.AddAdapter(new LoraOptions(3) { Dropout = 0.3, Targets = LoraOptions.AllLinearTargets });
        // Where B is 0, nothing that A takes is seen.
        using (no_grad())
            foreach (var (_, layer) in model.ModelAdapter!.Layers)
                layer.Adapter!.lora_B.fill_(0.02);
        Micro_batches_give_the_same_gradients(model, plain);
    }

    [Fact]
    public void With_dropout_the_rewards_of_all_tokens_don_t_either()
    {
        using var model = TinyModel.Create("gpt2", dropout: 0.2);
        Micro_batches_give_the_same_gradients(model, plain with { RewardPositions = RewardPositions.All });
    }

    private static void Micro_batches_give_the_same_gradients(RewardTransformer model, TrainingOptions run)
    {
        model.train();
        manual_seed(4);
        using var expectedDraw = rand(3);
        manual_seed(4);
        var whole = Gradients(8192, step: 2);
        // Budgets: about two lists; and parts of one list, in two passes.
        Assert.InRange(Largest(whole, Gradients(30, step: 2, checkpointing: true)), 0, 1e-6);
        Assert.InRange(Largest(whole, Gradients(6, step: 2)), 0, 1e-6);
        // Training has not touched torch's generator.
        using var draw = rand(3);
        Assert.True(expectedDraw.Equals(draw));
        // The comparison sees what is dropped.
        Assert.InRange(Largest(whole, Gradients(8192, step: 3)), 1e-3, double.PositiveInfinity);

        Dictionary<string, float[]> Gradients(int budget, int step, bool checkpointing = false)
        {
            using var scope = NewDisposeScope();
            var divided = run with { MaxTokensPerBatch = budget, ActivationCheckpointing = checkpointing };
            using var trained = new TrainedWeights(model, SingleProcess.Instance);
            new StepGradients(model, trained, RankingLoss.ByName("log-sigmoid"), divided).Add(lists, step, () => 0);
            var gradients = model.TrainedParameters.Where(pair => pair.Parameter.grad is not null).ToDictionary(pair => pair.Name, pair =>
            {
                using var data = pair.Parameter.grad!.contiguous().data<float>();
                return data.ToArray();
            });
            model.zero_grad();
            return gradients;
        }

        // Of each parameter's largest gradient, where that is above 1.
        static double Largest(Dictionary<string, float[]> expected, Dictionary<string, float[]> found)
        {
            Assert.Equal(expected.Keys, found.Keys);
            return expected.Max(pair => Numbers.LargestDifference(pair.Value, found[pair.Key]) / Math.Max(1, pair.Value.Max(Math.Abs)));
        }
    }

    [Theory]
    [InlineData("log-sigmoid, all that it has")]
    [InlineData("log-sigmoid, all tokens, all that it has")]
    [InlineData("plackett-luce")]
    [InlineData("levels alone")]
    public void A_run_cut_off_and_resumed_ends_with_the_same_bits(string name)
    {
        byte[] Trained(bool isCutOff)
        {
            using var directory = new TemporaryDirectory();
            using var model = TinyModel.Create("gpt2");
            if (isCutOff)
                using (var first = TinyModel.Create("gpt2"))
                    Assert.Throws<OperationCanceledException>(() => Cut(first, directory));
            new Trainer(model, options[name], lists, [], new RunDirectory(directory.Path)).Train(resume: true);
            return [.. model.CheckpointParameters.SelectMany(pair => pair.Parameter.bytes.ToArray())];
        }
        void Cut(RewardTransformer model, TemporaryDirectory directory)
        {
            using var stop = new CancellationTokenSource();
            new Trainer(model, options[name], lists, [], new RunDirectory(directory.Path), new StopAfter(4, stop)).Train(cancellation: stop.Token);
        }
        Assert.Equal(Trained(isCutOff: false), Trained(isCutOff: true));
    }

    [Theory]
    [InlineData("sigmoid")]
    [InlineData("hinge")]
    [InlineData("plackett-luce")]
    [InlineData("top-choice")]
    [InlineData("regression alone")]
    [InlineData("levels alone")]
    [InlineData("log-sigmoid, all tokens")]
    public void Every_loss_learns_an_order_that_no_bag_of_tokens_shows(string name)
    {
        using var model = TinyModel.Create();
        var run = options[name] with { Steps = 120, ListsPerStep = 32, Schedule = ScheduleKind.Cosine };
        new Trainer(model, run, TinyModel.OrderTask(400, seed: 1), []).Train();
        var tested = TinyModel.OrderTask(200, seed: 2);
        Assert.InRange(new RewardScorer(model).Score(tested).Average(rewards => rewards[0] > rewards[1] ? 1.0 : 0), 0.95, 1);
    }

    [Fact]
    public void Without_update_the_held_out_loss_is_the_training_loss()
    {
        foreach (var (name, run) in options.Where(pair => pair.Value.RewardPositions == RewardPositions.Last))
        {
            using var model = TinyModel.Create();
            var reports = new Reports();
            new Trainer(
                model, run with { Steps = 1, ListsPerStep = lists.Length, BestBy = BestBy.Last }, lists, lists, progress: reports).Train();
            Assert.True(Math.Abs(reports.Evaluations[0].Metrics.Loss - reports.Steps[0].Loss) < 2e-6, name);
        }
    }

    [Fact]
    public void The_terms_of_a_loss_are_reported_and_add_up_to_it()
    {
        var step = Steps(options["log-sigmoid, all that it has"] with { Steps = 1 })[0];
        Assert.Equal(["log-sigmoid", "centering", "reward-l2"], step.LossTerms!.Keys);
        Assert.Equal(step.Loss, step.LossTerms.Values.Sum(), 1e-12);
        Assert.Null(Steps(plain with { Steps = 1 })[0].LossTerms);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void The_reward_of_an_answer_s_tokens_is_that_of_the_answer_that_ends_there(string architecture)
    {
        using var model = TinyModel.Create(architecture);
        model.eval();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        TokenizedList[] some = [TinyModel.List(1, 4, 3, 2), TinyModel.List(2, 0, 4, 1, 2)];
        using var sequences = model.Pack(some);
        using var pass = new ForwardPass(sequences);
        var found = model.TokenRewards(pass).data<float>().ToArray();
        TokenizedList[] cut =
        [
            .. from list in some
               from answer in list.AnswerIds
               from length in Enumerable.Range(1, answer.Length)
               select new TokenizedList(list.PromptIds, [answer[..length]], [0]),
        ];
        Numbers.AssertEqualButForRounding([.. new RewardScorer(model).Score(cut).Select(rewards => rewards[0])], found, Numbers.UnitsOfModels);
    }

    /// <summary>From the first token that differs to the end of the longer answer, whose other one keeps its last reward.</summary>
    [Fact]
    public void Over_all_tokens_the_loss_is_the_mean_of_those_from_the_first_difference_on()
    {
        using var model = TinyModel.Create();
        // Different from the third token on; the second is the start of the first; and the first once more, which makes no pair with itself.
        TokenizedList list = new([1, 2, 3], [[4, 5, 6, 7, 8], [4, 5, 9], [4, 5, 6], [4, 5, 6, 7, 8]], [3, 2, 1, 0]);
        float[] RewardsOf(int[] answer) => [.. new RewardScorer(model).Score(
            [.. Enumerable.Range(1, answer.Length).Select(length => new TokenizedList(list.PromptIds, [answer[..length]], [0]))])
            .Select(rewards => rewards[0])];
        float[] a = RewardsOf(list.AnswerIds[0]), b = RewardsOf(list.AnswerIds[1]), c = RewardsOf(list.AnswerIds[2]);
        double Loss(params (float Better, float Worse)[] pairs) =>
            pairs.Average(pair => Math.Log(1 + Math.Exp(-((double)pair.Better - pair.Worse))));
        double[] ofPairs =
        [
            Loss((a[2], b[2]), (a[3], b[2]), (a[4], b[2])), Loss((a[3], c[2]), (a[4], c[2])), Loss((b[2], c[2])),
            Loss((b[2], a[2]), (b[2], a[3]), (b[2], a[4])), Loss((c[2], a[3]), (c[2], a[4])),
        ];
        var reports = new Reports();
        new Trainer(model, plain with { Steps = 1, RewardPositions = RewardPositions.All }, [list], [], progress: reports).Train();
        Assert.Equal(ofPairs.Average(), reports.Steps[0].Loss, 1e-6);
    }

    [Fact]
    public void Answers_of_one_token_have_the_same_loss_over_all_tokens_as_at_the_last()
    {
        TokenizedList[] single = [.. Enumerable.Range(0, 5).Select(i => TinyModel.List((ulong)i, 4, 1, 1, 1))];
        List<StepReport> Of(RewardPositions positions) => Steps(plain with { Steps = 3, RewardPositions = positions }, single);
        foreach (var (last, all) in Of(RewardPositions.Last).Zip(Of(RewardPositions.All)))
        {
            Assert.Equal(last.Loss, all.Loss, 2e-6);
            Assert.Equal(last.GradientNorm, all.GradientNorm, 2e-5);
        }
    }

    [Fact]
    public void An_encoder_has_no_rewards_of_tokens()
    {
        using var parity = Parity.ParityModel.OfRepository("bert");
        using var model = parity.Load();
        Assert.Equal(
            "RewardPositions (--reward-positions) is all; this BERT reads an answer as a whole and has no rewards of its tokens. Use last.",
            Assert.Throws<ArgumentException>(() => new Trainer(
                model, plain with { RewardPositions = RewardPositions.All }, [TinyModel.List(1, 3, 2, 2)], [])).Message);
    }

    [Fact]
    public void The_weight_of_a_list_multiplies_its_gradient_whatever_the_others_weigh()
    {
        var one = TinyModel.List(1, 4, 3, 5);
        var other = TinyModel.List(2, 6, 3, 4);
        double Loss(params TokenizedList[] some) => Steps(plain with { Steps = 1 }, some)[0].Loss;
        Assert.Equal((Loss(one) * 3 + Loss(other)) / 2, Loss(one with { Weight = 3 }, other), 1e-6);
        var alone = Steps(plain with { Steps = 1 }, [one])[0];
        var twice = Steps(plain with { Steps = 1 }, [one with { Weight = 2 }])[0];
        Assert.Equal(2 * alone.GradientNorm, twice.GradientNorm, 1e-5);
    }

    [Fact]
    public void Margins_and_ties_that_are_not_used_or_not_there_are_told()
    {
        string Log(TrainingOptions run, params TokenizedList[] some)
        {
            using var model = TinyModel.Create();
            using var log = new StringWriter { NewLine = "\n" };
            _ = new Trainer(model, run, some, [], logger: new LineLogger(log.WriteLine));
            return log.ToString();
        }
        TokenizedList without = TinyModel.List(1, 3, 2, 2), with = without with { Margin = 0.5 };
        Assert.Equal("", Log(plain, without));
        Assert.Equal("warning: 1 of 2 training lists has a margin, which is not used: --margin column does so\n", Log(plain, with, without));
        Assert.Equal(
            "warning: 2 of 3 training lists have no margin: theirs is 0\n", Log(plain with { Margin = "column" }, with, without, without));
        Assert.Equal(
            "Margin (--margin) is column, but no training list has a margin; expected lines with a \"margin\", or another value. "
            + "(Parameter 'trainLists')",
            Assert.Throws<ArgumentException>(() => Log(plain with { Margin = "column" }, without)).Message);
        Assert.Equal(
            "warning: --ties half changes nothing: no training list has answers with equal scores\n",
            Log(plain with { Ties = TieHandling.Half }, without));
        Assert.Equal("", Log(plain with { Ties = TieHandling.Half }, without, without with { Scores = [1, 1] }));
    }

    [Fact]
    public void Scores_that_are_an_order_are_no_target_for_single_answers()
    {
        using var model = TinyModel.Create();
        var ordered = TinyModel.List(1, 3, 2, 2) with { ScoresAreOrder = true, Source = new SourceLine("a.jsonl", 3) };
        Assert.Equal(
            "Pointwise (--pointwise) is regression, but 1 of 2 lists has no scores, only an order of the answers (a.jsonl:3); expected scores "
            + "that mean the same in every list. Give the lists scores, or train on their order alone.",
            Assert.Throws<ArgumentException>(() => new Trainer(
                model, plain with { Pointwise = PointwiseLoss.Regression }, [TinyModel.List(1, 3, 2, 2), ordered], [])).Message);
    }

    [Fact]
    public void Levels_are_few_and_more_than_one()
    {
        using var model = TinyModel.Create();
        var levelled = plain with { Pointwise = PointwiseLoss.Levels };
        var many = new TokenizedList([1], [.. Enumerable.Range(0, 101).Select(i => (int[])[2, i % 60])], [.. Enumerable.Range(0, 101).Select(i => i / 10.0)]);
        string Error(TokenizedList list) => Assert.Throws<ArgumentException>(() => new Trainer(model, levelled, [list], [])).Message;
        Assert.Equal(
            "Pointwise (--pointwise) is levels, and the scores of the training lists have 101 different values; expected 2 to 100. Round the "
            + "scores to as many levels, or use regression. (Parameter 'trainLists')",
            Error(many));
        Assert.Contains("have 1 different value;", Error(many with { Scores = [.. Enumerable.Repeat(1.0, 101)] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Single_answers_train_a_pointwise_loss_and_are_evaluated_by_the_loss()
    {
        using var model = TinyModel.Create();
        TokenizedList[] single = [.. Enumerable.Range(0, 12).Select(i => TinyModel.List((ulong)i, 3, 4) with { Scores = [i % 3] })];
        var run = plain with { Loss = "none", Pointwise = PointwiseLoss.Regression, BestBy = BestBy.Loss, Steps = 40 };
        var reports = new Reports();
        new Trainer(model, run, single, single, progress: reports).Train();
        Assert.InRange(reports.Evaluations[^1].Metrics.Loss, 0, reports.Evaluations[0].Metrics.Loss / 2);
    }

    [Fact]
    public void A_run_on_other_margins_or_weights_is_another_one()
    {
        foreach (var changed in new[] { lists[1] with { Margin = 7 }, lists[1] with { Weight = 7 } })
        {
            using var directory = new TemporaryDirectory();
            using var model = TinyModel.Create("gpt2");
            new Trainer(model, plain, lists, [], new RunDirectory(directory.Path)).Train();
            Assert.Contains(
                "the training lists are not the same",
                Assert.Throws<RunDirectoryException>(() => new Trainer(
                    model, plain, [lists[0], changed, .. lists[2..]], [], new RunDirectory(directory.Path)).Train(resume: true)).Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(8192)]
    [InlineData(6)]
    public void No_tensors_are_left_behind_by_a_step(int budget)
    {
        foreach (var (name, run) in options.Where(pair => pair.Key.EndsWith("has", StringComparison.Ordinal) || pair.Key == "plackett-luce"))
        {
            using var model = TinyModel.Create();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var counts = new TensorCounts();
            new Trainer(model, run with { Steps = 8, MaxTokensPerBatch = budget }, lists, [], progress: counts).Train();
            Assert.True(counts.AfterStep[2] == counts.AfterStep[8], $"{name}: {counts.AfterStep[2]}, then {counts.AfterStep[8]}");
        }
    }

    private static List<StepReport> Steps(TrainingOptions run, TokenizedList[]? some = null)
    {
        using var model = TinyModel.Create();
        var reports = new Reports();
        new Trainer(model, run, some ?? lists, [], progress: reports).Train();
        return reports.Steps;
    }

    private sealed class Reports : IProgress<TrainingReport>
    {
        public List<StepReport> Steps { get; } = [];

        public List<EvaluationReport> Evaluations { get; } = [];

        public void Report(TrainingReport value)
        {
            if (value is StepReport step)
                Steps.Add(step);
            if (value is EvaluationReport evaluation)
                Evaluations.Add(evaluation);
        }
    }

    private sealed class StopAfter(int step, CancellationTokenSource stop) : IProgress<TrainingReport>
    {
        public void Report(TrainingReport value)
        {
            if (value is StepReport && value.Step == step)
                stop.Cancel();
        }
    }

    private sealed class TensorCounts : IProgress<TrainingReport>
    {
        public Dictionary<int, long> AfterStep { get; } = [];

        public void Report(TrainingReport value)
        {
            if (value is StepReport)
                AfterStep[value.Step] = Tensor.TotalCount;
        }
    }
}
