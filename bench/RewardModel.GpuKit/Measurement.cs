using System.Diagnostics;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Optimization;
using RewardModel.Training.Reporting;
using TorchSharp;

namespace RewardModel.GpuKit;

/// <summary>Steps of <see cref="Trainer"/>.</summary>
/// <param name="Seconds">The median step's.</param>
/// <param name="Memory">MiB in use at the end, when libtorch keeps what it needed at most; null if not known.</param>
internal sealed record Measurement(double Seconds, double? Memory)
{
    public const int WarmUpSteps = 5, TimedSteps = 9;

    public static Measurement Run(Workload workload, string device)
    {
        var config = HuggingFaceConfig.Parse(workload.Config.ToJsonString(), "config.json");
        using var model = RewardTransformer.FromConfig(config, seed: 1).to(device);
        var steps = new Clock(device);
        var options = new TrainingOptions
        {
            Steps = WarmUpSteps + TimedSteps,
            Schedule = ScheduleKind.Constant,
            LearningRate = 1e-5,
            ListsPerStep = workload.ListCount,
            MaxTokensPerBatch = workload.TokensPerBatch,
            Precision = device == "cpu" ? Precision.Float32 : Precision.Bfloat16,
        };
        new Trainer(model, options, workload.Lists, [], progress: steps).Train();
        return new Measurement(steps.Seconds.Skip(WarmUpSteps).Order().ElementAt(TimedSteps / 2), GpuKit.Memory.InUse(device));
    }

    private sealed class Clock(string device) : IProgress<TrainingReport>
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();

        public List<double> Seconds { get; } = [];

        public void Report(TrainingReport value)
        {
            Machine.Synchronize(device);
            Seconds.Add(clock.Elapsed.TotalSeconds);
            clock.Restart();
        }
    }
}
