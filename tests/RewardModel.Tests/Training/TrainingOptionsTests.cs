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
            Schedule = ScheduleKind.Cosine,
            WarmupSteps = 0,
            FinalLearningRateRatio = 0,
            Beta1 = 0.9,
            Beta2 = 0.999,
            Epsilon = 1e-8,
            WeightDecay = 0.01,
            DecayAll = false,
            MaxGradientNorm = 1,
            ListsPerStep = 32,
            MaxTokensPerBatch = 8192,
            Precision = Precision.Float32,
            ActivationCheckpointing = false,
            UnfrozenLayers = null,
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
            WarmupSteps = -2,
            FinalLearningRateRatio = 1.5,
            Beta1 = 1,
            Beta2 = -0.1,
            Epsilon = 0,
            WeightDecay = -1,
            MaxGradientNorm = -1,
            ListsPerStep = 0,
            MaxTokensPerBatch = 0,
            UnfrozenLayers = -1,
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
            "The training options can't be used: Epochs (--epochs) is 0; expected at least 1; Steps (--steps) is -1; expected at least 1; "
            + "LearningRate (--learning-rate) is NaN; expected a positive number; WarmupSteps (--warmup-steps) is -2; expected 0 or more; "
            + "FinalLearningRateRatio (--final-learning-rate-ratio) is 1.5; expected a number from 0 to 1; "
            + "Beta1 (--beta1) is 1; expected a number from 0 to below 1; Beta2 (--beta2) is -0.1; expected a number from 0 to below 1; "
            + "Epsilon (--epsilon) is 0; expected a positive number; WeightDecay (--weight-decay) is -1; expected 0 or more; "
            + "MaxGradientNorm (--max-grad-norm) is -1; expected 0 (no clipping) or more; "
            + "ListsPerStep (--lists-per-step) is 0; expected at least 1; "
            + "MaxTokensPerBatch (--max-tokens-per-batch) is 0; expected at least 1; "
            + "UnfrozenLayers (--unfrozen-layers) is -1; expected 0 (the head alone) or more; "
            + "Loss (--loss) is 'huber'; expected one of: log-sigmoid, sigmoid, hinge, plackett-luce, top-choice, none; "
            + "Margin (--margin) is '-1'; expected one of: none, column, score-difference*X, llama2-small, llama2-large, "
            + "or a number of 0 or more; LabelSmoothing (--label-smoothing) is 0.5; expected a number from 0 (no smoothing) to below 0.5; "
            + "PointwiseWeight (--pointwise-weight) is 0; expected a positive number; "
            + "PointwiseWeight (--pointwise-weight) is 0; expected no value, because Pointwise (--pointwise) is none; "
            + "Centering (--centering) is -1; expected 0 (no centring) or more; "
            + "RewardL2 (--reward-l2) is NaN; expected 0 (no such term) or more; EvaluationInterval (--eval-every) is 0; expected at least 1; "
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
}
