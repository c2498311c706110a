using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Distributed;
using RewardModel.Ranking;
using RewardModel.Training;
using RewardModel.Training.Distributed;
using RewardModel.Training.Metrics;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training.Runs;

public class RunDirectoryTests
{
    [Fact]
    public void The_best_weights_that_the_two_newest_states_name_stay()
    {
        using var directory = new TemporaryDirectory();
        using var model = TinyModel.Create();
        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        using var optimizer = new AdamW(model.CheckpointParameters.Select(WeightPart.Of), new AdamWOptions());
        var fingerprint = RunFingerprint.Of(new TrainingOptions().OfEveryStep(), 12, [TinyModel.List(1, 2, 3, 4)], [], model, savedAs: null);
        var run = new RunDirectory(directory.Path);
        void Save(int step, int best) => run.Save(
            fingerprint,
            new TrainerState
            {
                Step = step,
                BestEvaluation = new EvaluationReport(best, new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid")).Result, IsBest: true),
            },
            trained, optimizer);
        string[] Best() =>
        [
            .. Directory.EnumerateDirectories(directory[$"{RunDirectory.FolderName}/best"])
                .Select(step => Path.GetFileName(step)).Order(StringComparer.Ordinal),
        ];

        run.Begin();
        run.SaveBest(4, trained);
        run.SaveBest(5, trained);
        Assert.Equal(["step-00000005"], Best());
        Save(step: 8, best: 5);
        run.SaveBest(10, trained);
        run.SaveBest(11, trained);
        Assert.Equal(["step-00000005", "step-00000011"], Best());
        // Killed here, the run goes on from step 8 and may find none of them the best.
        run = new RunDirectory(directory.Path);
        Assert.True(run.TryRestore(fingerprint, trained, optimizer, NullLogger.Instance, out var state));
        Assert.Equal(5, state.BestEvaluation!.Step);
        run.SaveBest(12, trained);
        Assert.Equal(["step-00000005", "step-00000012"], Best());
        Save(step: 12, best: 12);
        Assert.Equal(["step-00000005", "step-00000012"], Best());
        Save(step: 16, best: 12);
        Assert.Equal(["step-00000012"], Best());
    }
}
