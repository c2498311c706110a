using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Reporting;
using static RewardModel.Tests.Training.SomeReports;

namespace RewardModel.Tests.Training.Diagnosis;

/// <summary>Each diagnosis on figures that have the disease, and on the nearest ones that don't.</summary>
public class RunDiagnosesTests
{
    [Fact]
    public void Every_diagnosis_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "diagnosis.md"));
        Assert.Equal(
            DiagnosisId.All.Order(StringComparer.Ordinal),
            System.Text.RegularExpressions.Regex.Matches(page, @"^\| `([a-z-]+)` \|", System.Text.RegularExpressions.RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal));
        Assert.Equal(DiagnosisId.All.Distinct(), DiagnosisId.All);
        Assert.Equal(
            typeof(DiagnosisId).GetFields().Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal),
            DiagnosisId.All.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_worst_comes_first_and_then_what_explains_the_others()
    {
        var found = RunDiagnoses.Of(new RunFacts
        {
            Run = Run() with { PaddingProblem = "the padding token is read" },
            Steps = Course(60, _ => 0.693, _ => 0.5),
            Evaluations = [Evaluated(0, 0.693, 0.5, isBest: true), new EvaluationReport(60, SomeReports.Metrics(0.693, 0.5, prompts: 200), false)],
        });
        Assert.Equal(
            [
                (DiagnosisId.LossStuck, DiagnosisSeverity.Error), (DiagnosisId.AccuracyNearChance, DiagnosisSeverity.Error),
                (DiagnosisId.InitialWeights, DiagnosisSeverity.Warning), (DiagnosisId.HeadReadsPadding, DiagnosisSeverity.Warning),
            ],
            found.Select(diagnosis => (diagnosis.Id, diagnosis.Severity)));
        Assert.Equal("The padding token is read", found[3].Sentence);
        Assert.Empty(RunDiagnoses.Of(new RunFacts()));
    }

    [Fact]
    public void A_run_that_diverged_says_where()
    {
        var end = new EndReport(7, EndReason.Diverged) { Message = "Step 8: the loss is not finite." };
        AssertFound(
            new RunFacts { Steps = Course(7, _ => 3, _ => 0.5), End = end }, DiagnosisId.Diverged, DiagnosisSeverity.Error,
            "The run ended after 7 steps: Step 8: the loss is not finite.");
        AssertNone(new RunFacts { End = end with { Reason = EndReason.Cancelled, Message = null } });
    }

    [Fact]
    public void A_loss_that_stays_at_ln_2_is_stuck()
    {
        AssertFound(
            new RunFacts { Steps = Course(120, _ => Math.Log(2), _ => 0.5, noise: 0.02) }, DiagnosisId.LossStuck, DiagnosisSeverity.Error,
            "The training loss stays at 0.69", "in the last third of 120 steps, with 50.0 % right pairs; it was 0.69", "then try other learning rates than 1E-05,");
        // Learned, or not known well enough, or with better than chance, or too short.
        AssertNone(new RunFacts { Steps = Course(120, step => 0.693 - 0.0004 * step, _ => 0.5) });
        AssertNone(new RunFacts { Steps = Course(120, _ => Math.Log(2), _ => 0.5, noise: 0.4) });
        AssertNone(new RunFacts { Steps = Course(120, _ => Math.Log(2), _ => 0.6) });
        AssertNone(new RunFacts { Steps = Course(19, _ => Math.Log(2), _ => 0.5) });
    }

    [Theory]
    [InlineData("loss", "hinge")]
    [InlineData("margin", "1")]
    public void What_other_losses_are_at_equal_rewards_is_not_known(string option, string value)
    {
        var facts = new RunFacts { Steps = Course(120, _ => 0.7, _ => 0.5), Run = Run(options: new() { ["seed"] = "1" }) };
        AssertFound(facts, DiagnosisId.LossStuck, DiagnosisSeverity.Error);
        AssertNone(facts with { Run = Run(options: new() { [option] = value }) });
    }

    [Fact]
    public void Of_several_terms_log_sigmoid_is_looked_at()
    {
        static StepReport[] Steps(double main, double other) =>
        [
            .. Course(60, _ => main + other, _ => 0.5).Select(step => step with
            {
                LossTerms = new Dictionary<string, double> { ["log-sigmoid"] = main, ["centering"] = other },
            }),
        ];
        AssertFound(new RunFacts { Steps = Steps(0.693, 0.2) }, DiagnosisId.LossStuck, DiagnosisSeverity.Error, "stays at 0.693");
        AssertNone(new RunFacts { Steps = Steps(0.5, 0.2) });
    }

    [Fact]
    public void A_loss_above_its_start_is_of_a_high_learning_rate()
    {
        AssertFound(
            new RunFacts { Steps = Course(100, step => step < 41 ? 0.6 : step < 61 ? 1.4 : 0.7, _ => 0.6), Evaluations = [Evaluated(0, 0.7)] },
            DiagnosisId.LearningRateTooHigh, DiagnosisSeverity.Warning,
            "The training loss rose above its start, 0.700: it is 1.400 in the mean of the steps 41 to 60. Lower the learning rate, whose peak is 1E-05,");
        // In the first steps already.
        AssertFound(
            new RunFacts { Steps = Course(100, step => step == 1 ? 0.7 : step < 21 ? 5 : 0.6, _ => 0.6) },
            DiagnosisId.LearningRateTooHigh, DiagnosisSeverity.Warning, "above its start, 0.700: it is 4.785 in the mean of the steps 1 to 20");
        // With low ones between them.
        AssertFound(
            new RunFacts { Steps = Course(100, step => step % 2 == 0 ? 0.6 : step > 60 ? 20 : 0.7, _ => 0.6) },
            DiagnosisId.LearningRateTooHigh, DiagnosisSeverity.Warning, "above its start, 0.700: it is 10.300 in the mean of the steps 61 to 80");
        // Sure of labels by chance; hard lists among lists that are learned; steps of one list each.
        AssertNone(new RunFacts { Steps = Course(100, step => 0.69 + step * 0.001, _ => 0.56) });
        AssertNone(new RunFacts { Steps = Course(400, step => step % 9 == 0 ? 4 : 0.1, _ => 0.9) });
        AssertNone(new RunFacts { Steps = Course(400, step => 0.65 - 0.001 * step, _ => 0.7, noise: 0.35) });
    }

    [Fact]
    public void A_gradient_that_explodes_is_of_a_high_learning_rate()
    {
        StepReport[] Steps(double norm, double loss) => [.. Course(200, _ => 0.5, _ => 0.7).Select(
            step => step.Step % 20 == 0 ? step with { GradientNorm = norm, Loss = loss } : step)];
        AssertFound(
            new RunFacts { Steps = Steps(100, 2) }, DiagnosisId.LearningRateTooHigh, DiagnosisSeverity.Warning,
            "The gradient norm explodes: it is more than 30 times that of the first steps, 1.5, in 10 steps, with a loss of up to 2.000 (first in step 20).");
        AssertNone(new RunFacts { Steps = Steps(40, 2) });
        AssertNone(new RunFacts { Steps = Steps(1000, 1.2) });
        AssertNone(new RunFacts { Steps = [.. Steps(100, 2).Where(step => step.Step is not (20 or 40 or 60 or 80 or 100 or 120))] });
    }

    [Fact]
    public void A_loss_that_falls_steadily_and_little_is_of_a_low_learning_rate()
    {
        RunFacts Facts(Func<int, double> loss) => new()
        {
            Steps = Course(100, loss, _ => 0.6),
            Evaluations = [.. Enumerable.Range(0, 11).Select(i => Evaluated(10 * i, loss(10 * i), 0.6, isBest: true))],
        };
        AssertFound(
            Facts(step => 0.69 - 0.0006 * step), DiagnosisId.LearningRateTooLow, DiagnosisSeverity.Warning,
            "The held-out loss falls steadily, and by 0.060 only, to 0.630 after 100 steps: ", "whose peak is 1E-05, or train longer.");
        // Most is learned at first; much is learned; nothing is; the last part is worse again.
        AssertNone(Facts(step => 0.61 + 0.08 * Math.Exp(-step / 20.0)));
        AssertNone(Facts(step => 0.69 - 0.003 * step));
        AssertNone(Facts(step => 0.69 - 0.00004 * step));
        // Learned before; of another loss.
        AssertNone(Facts(step => 0.6 - 0.0006 * step));
        AssertNone(Facts(step => 0.69 - 0.0006 * step) with { Run = Run(options: new() { ["loss"] = "hinge" }) });
        AssertNone(Facts(step => 0.69 - 0.0006 * (step < 80 ? step : 150 - step)));
    }

    /// <summary>With a cosine schedule most of the fall is in the middle of the run.</summary>
    [Fact]
    public void The_fall_is_measured_by_the_sum_of_learning_rates()
    {
        static double Rate(int step) => 1e-5 * (1 + Math.Cos(Math.PI * step / 100)) / 2;
        var sum = Enumerable.Range(1, 100).Sum(Rate);
        double Loss(int step) => 0.69 - 0.06 * Enumerable.Range(1, step).Sum(Rate) / sum;
        var steps = Course(100, Loss, _ => 0.6).Select(step => step with { LearningRate = Rate(step.Step) }).ToArray();
        EvaluationReport[] evaluations = [.. Enumerable.Range(0, 11).Select(i => Evaluated(10 * i, Loss(10 * i), 0.6, isBest: true))];
        AssertFound(new RunFacts { Steps = steps, Evaluations = evaluations }, DiagnosisId.LearningRateTooLow, DiagnosisSeverity.Warning);
        AssertNone(new RunFacts { Steps = Course(100, Loss, _ => 0.6), Evaluations = evaluations });
    }

    [Fact]
    public void A_held_out_loss_that_rises_while_the_training_loss_falls_is_overfitting()
    {
        RunFacts Facts(Func<int, double> heldOut, Func<int, double> training) => new()
        {
            Steps = Course(100, training, _ => 0.8),
            Evaluations = [.. Enumerable.Range(0, 11).Select(i => Evaluated(10 * i, heldOut(10 * i), 0.7, isBest: i == 4))],
        };
        static double Falling(int step) => 0.69 * Math.Exp(-step / 40.0);
        static double Rising(int step) => step < 30 ? 0.69 - 0.003 * step : 0.6 + 0.004 * (step - 30);
        AssertFound(
            Facts(Rising, Falling), DiagnosisId.Overfitting, DiagnosisSeverity.Warning,
            "The held-out loss was lowest after step 30, 0.600, and rises since, to 0.880 after step 100, while the training loss falls: ",
            "by heart, and the weights of step 40 are kept. ");
        // From the very start.
        AssertFound(
            Facts(step => 0.69 + 0.003 * step, Falling), DiagnosisId.Overfitting, DiagnosisSeverity.Warning, "was lowest after step 0, 0.690,");
        // A little; the training loss rises too; noise; a single bad evaluation at the end.
        AssertNone(Facts(step => step < 30 ? 0.69 - 0.003 * step : 0.6 + 0.0007 * (step - 30), Falling));
        AssertNone(Facts(Rising, step => 0.6 + 0.0005 * step));
        AssertNone(Facts(step => 0.6 + 0.1 * ((step / 10 * 7) % 5) / 4, Falling));
        AssertNone(Facts(step => step == 100 ? 0.9 : 0.7 - 0.002 * step, Falling));
        AssertNone(Facts(step => step > 20 ? double.NaN : Rising(step), Falling));
    }

    [Fact]
    public void Rewards_that_are_all_equal_are_an_error()
    {
        RunFacts Facts(double deviation, double mean) => new()
        {
            Evaluations = [new EvaluationReport(10, SomeReports.Metrics() with { RewardMean = mean, RewardStandardDeviation = deviation }, true)],
        };
        AssertFound(
            Facts(0, 0.5), DiagnosisId.RewardsEqual, DiagnosisSeverity.Error,
            "All 800 held-out answers have the reward 0.5 (standard deviation 0): the model tells no answers apart.");
        AssertFound(Facts(0.05, -1000), DiagnosisId.RewardsEqual, DiagnosisSeverity.Error, "the reward -1000 (standard deviation 0.05)");
        AssertNone(Facts(0.01, 0.5));
    }

    [Theory]
    [InlineData(0.52, 400, DiagnosisId.AccuracyNearChance, DiagnosisSeverity.Error, "See that the scores are those of their answers;")]
    [InlineData(0.6, 50, DiagnosisId.AccuracyNearChance, DiagnosisSeverity.Warning, "More held-out prompts make it narrower.")]
    [InlineData(0.4, 400, DiagnosisId.AccuracyBelowChance, DiagnosisSeverity.Error, "is below chance: its 95 % interval, 0.353 to 0.449 for 400 prompts,")]
    [InlineData(0.6, 400, null, DiagnosisSeverity.Note, "")]
    public void The_interval_of_the_accuracy_is_compared_with_chance(
        double accuracy, int prompts, string? id, DiagnosisSeverity severity, string part)
    {
        var facts = new RunFacts { Evaluations = [new EvaluationReport(10, SomeReports.Metrics(0.5, accuracy, prompts), IsBest: true)] };
        if (id is null)
            AssertNone(facts);
        else
            AssertFound(facts, id, severity, part);
        // Other weights than those that are kept don't matter, and figures of the whole evaluation come first.
        AssertNone(facts with { Evaluations = [facts.Evaluations[0] with { IsBest = false }] });
        AssertNone(facts with { Evaluation = Full() });
    }

    [Fact]
    public void A_small_test_set_is_a_note()
    {
        static RunFacts Facts(int prompts) => new() { Evaluations = [new EvaluationReport(10, SomeReports.Metrics(0.5, 0.8, prompts), IsBest: true)] };
        AssertFound(
            Facts(100), DiagnosisId.SmallTestSet, DiagnosisSeverity.Note,
            "The held-out accuracy of 0.800 is known to 0.078 only, as there are 100 prompts: ");
        Assert.Empty(RunDiagnoses.Of(Facts(400)));
    }

    [Fact]
    public void Initial_weights_that_are_kept_are_told()
    {
        var start = Evaluated(0, isBest: true);
        AssertFound(
            new RunFacts { Evaluations = [start, Evaluated(10)] }, DiagnosisId.InitialWeights, DiagnosisSeverity.Warning,
            "No evaluation in 10 steps was better than the one before the first step: the model still has its initial weights.");
        AssertNone(new RunFacts { Evaluations = [start] });
        AssertNone(new RunFacts { Evaluations = [start, Evaluated(10, isBest: true)] });
    }

    [Fact]
    public void Rewards_that_grow_without_bound_are_told()
    {
        static RunFacts Facts(Func<int, double> mean, Func<int, double> deviation) => new()
        {
            Evaluations =
            [
                .. Enumerable.Range(0, 11).Select(i => new EvaluationReport(
                    i, SomeReports.Metrics() with { RewardMean = mean(i), RewardStandardDeviation = deviation(i) }, IsBest: true)),
            ],
        };
        AssertFound(
            Facts(i => -3 * i, _ => 2), DiagnosisId.RewardsGrow, DiagnosisSeverity.Warning,
            "their mean is -30.0 and their standard deviation 2.0 after step 10; they were -15.0 and 2.0 after step 5.");
        AssertFound(Facts(_ => 0, i => 4 * i), DiagnosisId.RewardsGrow, DiagnosisSeverity.Warning);
        // Large and no more growing; growing and still small.
        AssertNone(Facts(i => Math.Min(i, 4) * 10, _ => 2));
        AssertNone(Facts(i => 1.5 * i, i => 1 + i));
    }

    [Fact]
    public void A_model_is_compared_with_the_best_that_understands_nothing()
    {
        static RunFacts Facts(params BaselineComparison[] baselines) => new() { Evaluation = Full() with { Baselines = baselines } };
        var chance = new BaselineComparison("chance", 0.5, 400, 0.25, 0.2, 0.3);
        AssertFound(
            Facts(chance, new("shorter", 0.4, 400, 0.35, 0.3, 0.4), new("longer", 0.7, 400, 0.05, -0.01, 0.11)),
            DiagnosisId.IntervalWiderThanDifference, DiagnosisSeverity.Warning,
            "The accuracy of 0.750 can't be told from the 0.700 of taking the longer answer, which understands nothing: the difference of 0.050 has the 95 % interval ",
            "-0.010 to 0.110, which contains 0.");
        AssertFound(
            Facts(chance, new("words", 0.99, 400, 0, 0, 0)), DiagnosisId.IntervalWiderThanDifference, DiagnosisSeverity.Note, "The data are too easy");
        AssertFound(
            Facts(new BaselineComparison("words", 0.8, 400, -0.05, -0.08, -0.02)), DiagnosisId.WorseThanBaseline, DiagnosisSeverity.Error,
            "The accuracy of 0.750 is below the 0.800 of a linear model of words, which understands nothing: the difference of -0.050 has the 95 % interval -0.080 to -0.020.");
        AssertNone(Facts(chance, new("longer", 0.6, 400, 0.15, 0.1, 0.2)));
        AssertNone(Facts(chance with { DifferenceLow = -0.1 }));
        AssertNone(Facts());
    }

    [Fact]
    public void A_model_that_prefers_a_length_against_the_data_is_told()
    {
        static AccuracyRow Row(double accuracy, double high) => new("row", 200, 200, accuracy, accuracy - 0.05, high, 0);
        static RunFacts Facts(double isBetter, double isPreferred, AccuracyRow? longer, AccuracyRow? shorter) => new()
        {
            Evaluation = Full() with { Length = new LengthBias(isBetter, isPreferred, longer, shorter, 0.5, 0.4, []) },
        };
        AssertFound(
            Facts(0.6, 0.85, Row(0.95, 0.97), Row(0.3, 0.37)), DiagnosisId.LengthBias, DiagnosisSeverity.Warning,
            "The model prefers the longer answer in 85.0 % of the pairs, which is the better one in 60.0 %; where the shorter one is better, it is right in ",
            "30.0 % of 200 pairs.");
        AssertFound(
            Facts(0.5, 0.2, Row(0.3, 0.37), Row(0.9, 0.95)), DiagnosisId.LengthBias, DiagnosisSeverity.Warning,
            "The model prefers the shorter answer in 80.0 % of the pairs, which is the better one in 50.0 %; where the longer one is better,");
        // As the data are; or not surely wrong where the better one is shorter.
        AssertNone(Facts(0.85, 0.87, Row(0.95, 0.97), Row(0.4, 0.45)));
        AssertNone(Facts(0.6, 0.75, Row(0.9, 0.95), Row(0.45, 0.52)));
        AssertNone(Facts(0.6, 0.85, Row(0.95, 0.97), null));
    }

    [Fact]
    public void Cut_lists_with_a_lower_accuracy_are_told()
    {
        static RunFacts Facts(double cut, double whole) => new()
        {
            Evaluation = Full() with
            {
                Tables =
                [
                    new("answers", []),
                    new("truncation", [new("cut", 50, 50, cut, cut - 0.1, cut + 0.1, 0), new("whole", 350, 350, whole, whole - 0.03, whole + 0.03, 1)]),
                ],
            },
        };
        AssertFound(
            Facts(0.55, 0.8), DiagnosisId.Truncation, DiagnosisSeverity.Warning,
            "The accuracy is 0.550 on 50 lists that are cut at the maximum length and 0.800 on the others: what decides is cut off. Raise --max-length.");
        AssertNone(Facts(0.7, 0.8));
    }

    [Theory]
    [InlineData(25, DiagnosisId.Truncation, "25 of 100 lists (25 %) lose tokens at the maximum length.")]
    [InlineData(24, null, "")]
    public void Many_cut_lists_are_told(int count, string? id, string part) =>
        AssertData(Data with { CutLists = new DataCount(count, 100, []) }, id, DiagnosisSeverity.Warning, part);

    [Theory]
    [InlineData(10, DiagnosisId.IdenticalAnswers, "10 of 100 lists (10 %) have answers with different scores that the model reads as the same: ")]
    [InlineData(9, null, "")]
    public void Many_identical_answers_are_told(int count, string? id, string part) =>
        AssertData(Data with { IdenticalAnswers = new DataCount(count, 100, []) }, id, DiagnosisSeverity.Warning, part);

    [Theory]
    [InlineData(1, 0, null, DiagnosisSeverity.Warning, "1 of 20 held-out lists (5 %) has a prompt that is trained on, too: ")]
    [InlineData(2, 9, 9, DiagnosisSeverity.Error, "2 of 20 held-out lists (10 %) have a prompt that is trained on, too: ")]
    [InlineData(0, 3, null, DiagnosisSeverity.Warning, "3 of 20 held-out lists (15 %) have a prompt nearly equal to one that is trained on: ")]
    [InlineData(0, 3, 4, DiagnosisSeverity.Warning, "4 of 20 held-out lists (20 %) have a prompt nearly equal to one that is trained on: ")]
    [InlineData(0, 0, 0, DiagnosisSeverity.Note, null)]
    public void Leaks_are_told(int same, int spaces, int? near, DiagnosisSeverity severity, string? part)
    {
        static DataCount Of(int count) => new(count, 20, []);
        AssertData(
            Data with
            {
                Split = new DataSplitReport
                {
                    TrainListCount = 80,
                    HeldOutListCount = 20,
                    Leak = Of(same),
                    LeakButForSpaceAndCase = Of(spaces),
                    NearLeak = near is { } count ? Of(count) : null,
                },
            },
            part is null ? null : DiagnosisId.Leak, severity, part ?? "");
    }

    /// <summary>Loss, accuracy and gradients as a run has them that learns, with the noise of steps of 1 to 64 lists.</summary>
    [Fact]
    public void Healthy_runs_are_told_nothing_but_notes()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new SplitMix64((ulong)seed);
            double Uniform() => random.NextBelow(1 << 20) / (double)(1 << 20);
            double Normal() => Math.Sqrt(-2 * Math.Log(Uniform() + 1e-7)) * Math.Cos(2 * Math.PI * Uniform());
            // Human preferences are hard; a synthetic task is learned whole.
            var floor = seed % 3 == 0 ? 0.02 : 0.5 + 0.12 * Uniform();
            var (count, lists, pace) = (60 + random.NextBelow(600), 1 << random.NextBelow(7), 0.05 + 0.2 * Uniform());
            double Loss(double step) => floor + (0.7 - floor) * Math.Exp(-step / (pace * count));
            // Of one list the loss is exponentially distributed, about.
            double Noisy(double mean, int of) => Math.Max(1e-4, mean * (1 + 0.6 / Math.Sqrt(of) * Normal()));
            StepReport[] steps =
            [
                .. Enumerable.Range(1, count).Select(step => Step(
                    step, Noisy(Loss(step - 1), lists), Math.Clamp(1 - 0.72 * Loss(step - 1) + 0.5 / Math.Sqrt(lists) * Normal(), 0, 1),
                    1e-5 * (1 + Math.Cos(Math.PI * step / count)) / 2, Math.Exp(0.5 * Normal() + 1) * Loss(step) * (random.NextBelow(50) == 0 ? 20 : 1))),
            ];
            EvaluationReport[] evaluations =
            [
                .. Enumerable.Range(0, 11).Select(i => i * count / 10).Select(step => Evaluated(
                    step, Loss(step) * (1 + 0.02 * Normal()) + 0.02 * step / count, 1 - 0.72 * Loss(step), isBest: true)),
            ];
            AssertNone(new RunFacts { Run = Run(), Steps = steps, Evaluations = evaluations, Data = Data, Evaluation = seed % 2 == 0 ? Full() : null });
        }
    }

    private static DataReport Data { get; } = Checks.DataCheckTests.Report(
        [Checks.DataCheckTests.List("What is it?", ["A thing", "Another"], 1)], heldOut: [], new DataCheckSettings { HasNearDuplicates = false });

    private static RewardEvaluation Full() => new()
    {
        Metrics = SomeReports.Metrics(),
        Baselines = [new("longer", 0.6, 400, 0.15, 0.1, 0.2)],
        Tables = [],
        Length = null,
        Ndcg = 0.9,
        BestOfN = null,
        Calibration = null,
        Ties = null,
        HumanAgreement = null,
        Rewards = null,
        Benchmark = null,
    };

    /// <summary>Steps whose losses scatter evenly around a curve.</summary>
    private static StepReport[] Course(int count, Func<int, double> loss, Func<int, double> accuracy, double noise = 0) =>
    [
        .. Enumerable.Range(1, count).Select(step => Step(step, loss(step) + noise * ((step * 7 % 11) - 5) / 5, accuracy(step))),
    ];

    private static void AssertData(DataReport data, string? id, DiagnosisSeverity severity, string part)
    {
        var facts = new RunFacts { Data = data };
        if (id is null)
            AssertNone(facts);
        else
            AssertFound(facts, id, severity, part);
    }

    private static void AssertFound(RunFacts facts, string id, DiagnosisSeverity severity, params string[] parts)
    {
        var found = Assert.Single(RunDiagnoses.Of(facts), diagnosis => diagnosis.Id == id);
        Assert.Equal(severity, found.Severity);
        Assert.All(parts, part => Assert.Contains(part, found.Sentence, StringComparison.Ordinal));
        Assert.EndsWith(".", found.Sentence);
    }

    private static void AssertNone(RunFacts facts) =>
        Assert.DoesNotContain(RunDiagnoses.Of(facts), diagnosis => diagnosis.Severity > DiagnosisSeverity.Note);
}
