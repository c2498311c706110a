using RewardModel.Ranking;
using RewardModel.Training;
using RewardModel.Training.Optimization;

namespace RewardModel.Tests.Training;

public class TrainingOptionsTests
{
    [Fact]
    public void Defaults_are_these() => Assert.Equal(
        new TrainingOptions
        {
            Epochs = 1,
            Steps = null,
            LearningRate = null,
            HeadLearningRate = null,
            LayerDecay = null,
            Schedule = ScheduleKind.Cosine,
            WarmupSteps = null,
            WarmupRatio = null,
            FinalLearningRateRatio = null,
            CooldownSteps = null,
            Optimizer = OptimizerKind.AdamW,
            Beta1 = null,
            Beta2 = null,
            Epsilon = null,
            WeightDecay = 0.01,
            DecayAll = false,
            MaxGradientNorm = 1,
            ListsPerStep = null,
            TokensPerStep = null,
            MaxTokensPerBatch = 8192,
            Precision = Precision.Float32,
            ActivationCheckpointing = false,
            UnfrozenLayers = null,
            FreezeEmbeddings = false,
            Loss = "log-sigmoid",
            Margin = null,
            LabelSmoothing = 0,
            Ties = TieHandling.Exclude,
            RewardPositions = RewardPositions.Last,
            LossNormalization = LossNormalization.PerList,
            Pointwise = PointwiseLoss.None,
            PointwiseWeight = null,
            Centering = 0,
            RewardL2 = 0,
            Seed = 0,
            EvaluationInterval = null,
            SaveInterval = null,
            EarlyStopPatience = 0,
            Ema = null,
            AverageLast = null,
            BestBy = BestBy.Accuracy,
        },
        new TrainingOptions());

    [Fact]
    public void All_wrong_values_are_told_at_once()
    {
        var options = new TrainingOptions
        {
            Epochs = 0,
            Steps = -1,
            LearningRate = double.NaN,
            HeadLearningRate = 0,
            LayerDecay = 1.5,
            WarmupSteps = -2,
            WarmupRatio = 1,
            FinalLearningRateRatio = 1.5,
            CooldownSteps = 0,
            Beta1 = 1,
            Beta2 = -0.1,
            Epsilon = 0,
            WeightDecay = -1,
            MaxGradientNorm = -1,
            ListsPerStep = 0,
            TokensPerStep = 0,
            MaxTokensPerBatch = 0,
            UnfrozenLayers = -1,
            FreezeEmbeddings = true,
            Loss = "huber",
            Margin = "-1",
            LabelSmoothing = 0.5,
            PointwiseWeight = 0,
            Centering = -1,
            RewardL2 = double.NaN,
            EvaluationInterval = 0,
            SaveInterval = 0,
            EarlyStopPatience = -1,
        };
        Assert.Equal(
            "The training options can't be used: Epochs (--epochs) is 0; expected at least 1; Steps (--steps) is -1; expected 1 to 100000000; "
            + "LearningRate (--learning-rate) is NaN; expected a number above 0, up to 10; "
            + "HeadLearningRate (--head-learning-rate) is 0; expected a number above 0, up to 10; "
            + "LayerDecay (--layer-decay) is 1.5; expected a number above 0, up to 1 (no decay); "
            + "WarmupSteps (--warmup-steps) is -2; expected 0 or more; WarmupRatio (--warmup-ratio) is 1; expected a number from 0 to below 1; "
            + "give --warmup-steps or --warmup-ratio, not both; "
            + "FinalLearningRateRatio (--final-learning-rate-ratio) is 1.5; expected a number from 0 to 1; "
            + "CooldownSteps (--cooldown-steps) is 0; expected at least 1; CooldownSteps (--cooldown-steps) is 0; "
            + "expected no value, because it has no effect without --schedule wsd, the only one with a cooldown; "
            + "Beta1 (--beta1) is 1; expected a number from 0 to below 1; Beta2 (--beta2) is -0.1; expected a number from 0 to below 1; "
            + "Epsilon (--epsilon) is 0; expected a number from 1E-30 to 1; WeightDecay (--weight-decay) is -1; expected a number from 0 to 10; "
            + "MaxGradientNorm (--max-grad-norm) is -1; expected 0 (no clipping) to 1000000; "
            + "ListsPerStep (--lists-per-step) is 0; expected 1 to 1000000000; "
            + "TokensPerStep (--tokens-per-step) is 0; expected 1 to 1000000000; "
            + "give --lists-per-step or --tokens-per-step, not both; "
            + "MaxTokensPerBatch (--max-tokens-per-batch) is 0; expected at least 1; "
            + "UnfrozenLayers (--unfrozen-layers) is -1; expected 0 (the head alone) or more; "
            + "FreezeEmbeddings (--freeze-embeddings) is True; expected no value, because it has no effect with --unfrozen-layers, which "
            + "freezes the embeddings as well; "
            + "Loss (--loss) is 'huber'; expected one of: log-sigmoid, sigmoid, hinge, plackett-luce, top-choice, none; "
            + "Margin (--margin) is '-1'; expected one of: none, column, score-difference*X, llama2-small, llama2-large, "
            + "or a number from 0 to 1000000; LabelSmoothing (--label-smoothing) is 0.5; expected a number from 0 (no smoothing) to below 0.5; "
            + "PointwiseWeight (--pointwise-weight) is 0; expected a number above 0, up to 1000; "
            + "PointwiseWeight (--pointwise-weight) is 0; expected no value, because Pointwise (--pointwise) is none; "
            + "Centering (--centering) is -1; expected 0 (no centring) to 1000; "
            + "RewardL2 (--reward-l2) is NaN; expected 0 (no such term) to 1000; EvaluationInterval (--eval-every) is 0; expected at least 1; "
            + "SaveInterval (--save-every) is 0; expected at least 1; "
            + "EarlyStopPatience (--early-stop) is -1; expected 0 (never stop early) or more.",
            Assert.Throws<OptionsException>(options.Validate).Message);
    }

    /// <summary>An option that does nothing beside others names both.</summary>
    [Theory]
    [MemberData(nameof(WithoutEffect))]
    public void What_has_no_effect_is_an_error(TrainingOptions options, string problem) => Assert.Equal(
        $"The training options can't be used: {problem}.", Assert.Throws<OptionsException>(options.Validate).Message);

    public static TheoryData<TrainingOptions, string> WithoutEffect => new()
    {
        { new() { FreezeEmbeddings = true, LoraRank = 8 }, "FreezeEmbeddings (--freeze-embeddings) is True; expected no value, because it has no effect with --lora-rank, which freezes the embeddings as well" },
        { new() { Loss = "none" }, "Loss (--loss) is none; expected a loss, because Pointwise (--pointwise) is none as well and there is nothing to train by" },
        { new() { Loss = "sigmoid", Margin = "1" }, "Margin (--margin) is 1; expected none, because Loss (--loss) is sigmoid, which has no margin" },
        { new() { Loss = "plackett-luce", Margin = "column" }, "Margin (--margin) is column; expected none, because Loss (--loss) is plackett-luce, which has no margin" },
        { new() { Loss = "hinge", LabelSmoothing = 0.1 }, "LabelSmoothing (--label-smoothing) is 0.1; expected 0, because Loss (--loss) is hinge, not log-sigmoid" },
        { new() { Loss = "top-choice", Ties = TieHandling.Half }, "Ties (--ties) is half; expected exclude, because Loss (--loss) is top-choice, not log-sigmoid" },
        { new() { Loss = "top-choice", LossNormalization = LossNormalization.PerPair }, "LossNormalization (--loss-normalization) is per-pair; expected per-list, because Loss (--loss) is top-choice, which is not a loss of pairs" },
        { new() { Pointwise = PointwiseLoss.Regression, LossNormalization = LossNormalization.PerPair }, "LossNormalization (--loss-normalization) is per-pair; expected per-list, because Pointwise (--pointwise) is given, which is not a loss of pairs" },
        { new() { PointwiseWeight = 2 }, "PointwiseWeight (--pointwise-weight) is 2; expected no value, because Pointwise (--pointwise) is none" },
        { new() { Loss = "hinge", RewardPositions = RewardPositions.All }, "RewardPositions (--reward-positions) is all; expected last, because Loss (--loss) is hinge, not log-sigmoid" },
    };

    [Theory]
    [InlineData("none", true)]
    [InlineData("0.5", true)]
    [InlineData("column", true)]
    [InlineData("score-difference*0.5", true)]
    [InlineData("llama2-small", true)]
    [InlineData("llama2-large", true)]
    [InlineData("score-difference*0", false)]
    [InlineData("score-difference", false)]
    [InlineData("NaN", false)]
    [InlineData("Column", false)]
    [InlineData("", false)]
    public void Margins_are_written_so(string text, bool isValid)
    {
        var options = new TrainingOptions { Margin = text };
        Assert.Equal(isValid, Record.Exception(options.Validate) is null);
    }

    [Fact]
    public void Options_without_an_effect_are_refused_with_the_reason()
    {
        static string Message(TrainingOptions options) => Assert.Throws<OptionsException>(options.Validate).Message;
        Assert.Equal(
            "The training options can't be used: Beta1 (--beta1) is 0.9; expected no value, because it has no effect with --optimizer "
            + "adafactor, which keeps no first moment; Beta2 (--beta2) is 0.99; expected no value, because it has no effect with --optimizer "
            + "adafactor, whose decay is 1 - step^-0.8; Epsilon (--epsilon) is 1E-06; expected no value, because it has no effect with "
            + "--optimizer adafactor, whose epsilon is 1e-30.",
            Message(new TrainingOptions { Optimizer = OptimizerKind.Adafactor, Beta1 = 0.9, Beta2 = 0.99, Epsilon = 1e-6 }));
        Assert.Equal(
            "The training options can't be used: FinalLearningRateRatio (--final-learning-rate-ratio) is 0; expected no value, because it has "
            + "no effect with --schedule constant, which stays at the peak.",
            Message(new TrainingOptions { Schedule = ScheduleKind.Constant, FinalLearningRateRatio = 0 }));
        Assert.Equal(
            "The training options can't be used: LayerDecay (--layer-decay) is 0.9; expected no value, because it has no effect with "
            + "--unfrozen-layers 0, which trains the head and the last norm alone.",
            Message(new TrainingOptions { UnfrozenLayers = 0, LayerDecay = 0.9 }));
        new TrainingOptions { Schedule = ScheduleKind.Wsd, CooldownSteps = 3, FinalLearningRateRatio = 0.1 }.Validate();
        new TrainingOptions { Optimizer = OptimizerKind.AdamW8Bit, Beta1 = 0.8, UnfrozenLayers = 1, LayerDecay = 0.5 }.Validate();
    }

    [Fact]
    public void An_option_that_is_given_with_its_default_is_the_same_run()
    {
        var given = new TrainingOptions
        {
            WarmupSteps = 0,
            FinalLearningRateRatio = 0,
            Beta1 = 0.9,
            Beta2 = 0.999,
            Epsilon = 1e-8,
            ListsPerStep = 32,
        };
        Assert.Equal(new TrainingOptions().OfEveryStep().ToJsonString(), given.OfEveryStep().ToJsonString());
    }
}
