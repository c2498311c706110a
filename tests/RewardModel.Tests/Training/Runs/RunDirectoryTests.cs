using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Ranking;
using RewardModel.Training;
using RewardModel.Training.Metrics;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training.Runs;

public class RunDirectoryTests
{
    [Fact]
    public void The_best_weights_that_the_newest_state_names_stay_until_the_next_state()
    {
        using var directory = new TemporaryDirectory();
        using var model = TinyModel.Create();
        using var optimizer = new AdamW(model.CheckpointParameters, new AdamWOptions());
        var fingerprint = RunFingerprint.Of(new TrainingOptions().OfEveryStep(), 12, [TinyModel.List(1, 2, 3, 4)], [], model, savedAs: null);
        var run = new RunDirectory(directory.Path);
        void Save(int step, int best) => run.Save(
            fingerprint,
            new TrainerState
            {
                Step = step,
                BestEvaluation = new EvaluationReport(best, new RankingMetricsAccumulator(RankingLoss.ByName("log-sigmoid")).Result, IsBest: true),
            },
            model, optimizer);
        string[] Best() =>
        [
            .. Directory.EnumerateDirectories(directory[$"{RunDirectory.FolderName}/best"])
                .Select(step => Path.GetFileName(step)).Order(StringComparer.Ordinal),
        ];

        run.Begin();
        run.SaveBest(4, model);
        run.SaveBest(5, model);
        Assert.Equal(["step-00000005"], Best());
        Save(step: 8, best: 5);
        run.SaveBest(10, model);
        run.SaveBest(11, model);
        Assert.Equal(["step-00000005", "step-00000011"], Best());
        // Killed here, the run goes on from step 8 and may find none of them the best.
        run = new RunDirectory(directory.Path);
        Assert.True(run.TryRestore(fingerprint, model, optimizer, NullLogger.Instance, out var state));
        Assert.Equal(5, state.BestEvaluation!.Step);
        run.SaveBest(12, model);
        Assert.Equal(["step-00000005", "step-00000012"], Best());
        Save(step: 12, best: 12);
        Assert.Equal(["step-00000012"], Best());
    }
}
