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
            MarginScale = 0,
            LossNormalization = LossNormalization.PerList,
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
            Loss = "hinge",
            MarginScale = -1,
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
            + "Loss (--loss) is 'hinge'; expected one of: log-sigmoid, sigmoid; MarginScale (--margin-scale) is -1; "
            + "expected 0 (no margin) or more; EvaluationInterval (--eval-every) is 0; expected at least 1; "
            + "SaveInterval (--save-every) is 0; expected at least 1; "
            + "EarlyStopPatience (--early-stop) is -1; expected 0 (never stop early) or more.",
            Assert.Throws<OptionsException>(options.Validate).Message);
    }
}
