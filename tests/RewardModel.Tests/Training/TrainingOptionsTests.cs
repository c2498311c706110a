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
            LearningRate = 1e-5,
            Schedule = ScheduleKind.Cosine,
            WarmupSteps = 0,
            FinalLearningRateRatio = 0,
            Optimizer = new AdamWOptions(),
            MaxGradientNorm = 1,
            ListsPerStep = 32,
            MaxTokensPerBatch = 8192,
            Precision = Precision.Float32,
            ActivationCheckpointing = false,
            Loss = "log-sigmoid",
            LossNormalization = LossNormalization.PerList,
            Seed = 0,
            EvaluationInterval = null,
            SaveInterval = null,
            EarlyStopPatience = 0,
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
            Optimizer = new AdamWOptions { Beta1 = 1, Beta2 = -0.1, Epsilon = 0, WeightDecay = -1 },
            MaxGradientNorm = -1,
            ListsPerStep = 0,
            MaxTokensPerBatch = 0,
            Loss = "hinge",
            EvaluationInterval = 0,
            SaveInterval = 0,
            EarlyStopPatience = -1,
        };
        Assert.Equal(
            "The training options can't be used: Epochs is 0; expected at least 1; Steps is -1; expected at least 1; "
            + "LearningRate is NaN; expected a positive number; WarmupSteps is -2; expected 0 or more; "
            + "FinalLearningRateRatio is 1.5; expected a number from 0 to 1; Beta1 is 1; expected a number from 0 to below 1; "
            + "Beta2 is -0.1; expected a number from 0 to below 1; Epsilon is 0; expected a positive number; "
            + "WeightDecay is -1; expected 0 or more; MaxGradientNorm is -1; expected 0 (no clipping) or more; "
            + "ListsPerStep is 0; expected at least 1; MaxTokensPerBatch is 0; expected at least 1; "
            + "Loss is 'hinge'; expected one of: log-sigmoid, sigmoid; EvaluationInterval is 0; expected at least 1; "
            + "SaveInterval is 0; expected at least 1; EarlyStopPatience is -1; expected 0 (never stop early) or more.",
            Assert.Throws<ArgumentException>(options.Validate).Message);
    }
}
