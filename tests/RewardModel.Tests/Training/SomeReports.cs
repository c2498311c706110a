using RewardModel.Training.Metrics;
using RewardModel.Training.Reporting;

namespace RewardModel.Tests.Training;

/// <summary>Reports of runs that nobody trained.</summary>
internal static class SomeReports
{
    public static RunReport Run(int step = 0, int stepCount = 100, Dictionary<string, string>? options = null) => new(step, stepCount)
    {
        Version = "1.2.3",
        Libraries = "TorchSharp",
        Device = "cpu, 2 threads",
        Model = "Llama, newly initialised, of config.json",
        ParameterCount = 1000,
        TrainedParameterCount = 900,
        ListCount = 60,
        HeldOutListCount = 6,
        DataDigest = "0123456789abcdef",
        Options = options ?? [],
        Command = "reward-model train --output 'it'\\''s é'",
    };

    public static StepReport Step(int step, double loss = 0.5, double accuracy = 0.7, double rate = 1e-5, double norm = 1.5) =>
        new(step, 100, step / 10.0, loss, accuracy, rate, norm, 1234, 1234L * step, 5678.5, TimeSpan.FromSeconds(100 - step));

    public static EvaluationReport Evaluated(int step, double loss = 0.5, double accuracy = 0.75, bool isBest = false) =>
        new(step, Metrics(loss, accuracy), isBest);

    /// <summary>Of 400 lists of two answers, of as many prompts.</summary>
    public static RankingMetrics Metrics(double loss = 0.5, double accuracy = 0.75, int prompts = 400)
    {
        var (low, high) = AccuracyInterval.Of([.. Enumerable.Range(0, prompts).Select(i => (i < accuracy * prompts ? 1.0 : 0, 1L))]);
        return new RankingMetrics
        {
            ListCount = prompts,
            ListsWithoutPairsCount = 0,
            AnswerCount = 2 * prompts,
            PairCount = prompts,
            Loss = loss,
            Accuracy = accuracy,
            PromptCount = prompts,
            AccuracyLow = low,
            AccuracyHigh = high,
            Margin = 0.75,
            KendallTau = 2 * accuracy - 1,
            TopAnswerAccuracy = accuracy,
            RewardMean = 0.25,
            RewardStandardDeviation = 1.25,
            RewardMin = -3,
            RewardMax = 3.5,
        };
    }
}
