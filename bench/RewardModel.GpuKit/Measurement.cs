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

    /// <param name="workload">The model and its lists.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="settings">How a single rank shares the weights, whether the optimiser is offloaded, and activation checkpointing.</param>
    public static Measurement Run(Workload workload, string device, StepSettings? settings = null)
    {
        settings ??= new StepSettings(Sharding.None, false, false);
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
            Shard = settings.Shard,
            OffloadOptimizer = settings.IsOffloaded,
            ActivationCheckpointing = settings.IsCheckpointed,
        };
        using var ranks = settings.Shard == Sharding.None ? null : OneRank.On(device);
        new Trainer(model, options, workload.Lists, [], progress: steps, ranks: ranks).Train();
        return new Measurement(steps.Seconds.Skip(WarmUpSteps).Order().ElementAt(TimedSteps / 2), GpuKit.Memory.InUse(device));
    }

    /// <param name="Shard">What ranks would divide.</param>
    /// <param name="IsOffloaded">Whether the optimiser's work is done in the CPU's memory.</param>
    /// <param name="IsCheckpointed">Whether layers are computed again.</param>
    internal sealed record StepSettings(Sharding Shard, bool IsOffloaded, bool IsCheckpointed)
    {
        public static readonly IReadOnlyDictionary<string, StepSettings> Known = new Dictionary<string, StepSettings>
        {
            ["one process"] = new(Sharding.None, false, false),
            ["one process, checkpointed"] = new(Sharding.None, false, true),
            ["optimizer"] = new(Sharding.Optimizer, false, false),
            ["optimizer, offloaded"] = new(Sharding.Optimizer, true, false),
            ["gradients"] = new(Sharding.Gradients, false, false),
            ["parameters"] = new(Sharding.Parameters, false, true),
        };
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
