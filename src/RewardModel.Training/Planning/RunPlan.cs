using RewardModel.Checkpoints;
using RewardModel.Scoring;

namespace RewardModel.Training.Planning;

/// <summary>What a run on many GPUs needs, computed from sizes: memory, time, and what failures cost.</summary>
internal sealed record RunPlan
{
    /// <summary>What was asked.</summary>
    public required PlanRequest Request { get; init; }

    /// <summary>Parameters of the model.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Those that are trained.</summary>
    public required long TrainedParameterCount { get; init; }

    /// <summary>Tokens of a list, as it is packed.</summary>
    public required long TokensPerList { get; init; }

    /// <summary>
    /// For each sharding the shortest step that fits, or, where none fits, the one that takes least memory. In the order of
    /// <see cref="Sharding"/>.
    /// </summary>
    public required IReadOnlyList<PlannedStep> Steps { get; init; }

    /// <summary>The step of the sharding that was asked for, or the shortest one that fits; null: none fits.</summary>
    public required PlannedStep? Chosen { get; init; }

    /// <summary>
    /// The shortest step with weights divided within nodes and copied between them, which this trainer can't do; null for a single node.
    /// </summary>
    public required PlannedStep? Hybrid { get; init; }

    /// <summary>Where nothing fits: the fewest GPUs, in whole nodes, that it would fit on; null: it fits, or never would.</summary>
    public required int? LeastGpuCount { get; init; }

    /// <summary>
    /// Where no number of ranks is enough, as two layers and what is outside of them don't fit: into how many parts each matrix had to be
    /// cut (tensor parallelism), which this trainer can't do.
    /// </summary>
    public required int? TensorDegree { get; init; }

    /// <summary>Optimiser steps of the run.</summary>
    public long StepCount => Request.Workload.StepCount;

    /// <summary>Seconds of the run without failures, evaluations not counted; null: nothing fits.</summary>
    public double? RunSeconds => StepCount * Chosen?.Time.Total;

    /// <summary>Bytes of a state from which the run can go on: trained weights, their average, and moments.</summary>
    public required long StateBytes { get; init; }

    /// <summary>Writing states and failing.</summary>
    public CheckpointInterval Failures => new(
        StateBytes / Request.StateBandwidth, Request.RestartSeconds, 3600 * Request.FailureHours / Request.Cluster.GpuCount);

    /// <summary>
    /// Expected seconds of the run with failures, and with states at Daly's interval or at the end, whichever comes first.
    /// </summary>
    public double? ExpectedSeconds => RunSeconds is { } seconds
        ? Failures.ExpectedSeconds(seconds, Math.Min(seconds, Failures.Daly))
        : null;

    /// <summary>GPU hours of that.</summary>
    public double? GpuHours => ExpectedSeconds * Request.Cluster.GpuCount / 3600;

    /// <summary>What they cost.</summary>
    public double? Cost => GpuHours * Request.HourPrice;

    /// <summary>Plans a run.</summary>
    /// <exception cref="CheckpointException">The model's configuration can't be used.</exception>
    /// <exception cref="ArgumentException">A value can't be: all problems are listed.</exception>
    public static RunPlan Of(PlanRequest request)
    {
        string[] problems = [.. request.Problems()];
        if (problems.Length > 0)
            throw new ArgumentException($"The run can't be planned: {string.Join("; ", problems)}.");
        request = request with { Cluster = (request.Measured ?? new Measured()).ApplyTo(request.Cluster) };
        using var model = ShapesOf(request);
        var (workload, cluster) = (request.Workload, request.Cluster);
        var length = (long)workload.PromptTokens + workload.AnswerTokens;
        if (length > model.MaxPositions)
            throw new ArgumentException(
                $"Prompt and answer have {length} tokens together; expected at most the {model.MaxPositions} of {request.Model}. Give "
                + "fewer by --prompt-tokens and --answer-tokens, or a config with more.");
        var shape = ModelShape.Of(model, request.Options.Optimizer);
        var planner = new Planner(request, model, shape);
        PlannedStep[] steps = [.. Enum.GetValues<Sharding>().Select(sharding => planner.Best(sharding, cluster, isHybrid: false))];
        var chosen = request.Sharding is { } asked
            ? steps.FirstOrDefault(step => step.Settings.Sharding == asked && step.Fits)
            : steps.Where(step => step.Fits).OrderBy(step => step.Time.Total).ThenBy(step => step.Time.BytesSent).FirstOrDefault();
        var all = shape.All;
        var leastGpus = chosen is null ? planner.LeastGpuCount() : null;
        return new RunPlan
        {
            Request = request,
            ParameterCount = all.Parameters,
            TrainedParameterCount = all.TrainedParameters,
            TokensPerList = workload.TokensPerList(shape.IsCausal),
            Steps = steps,
            Chosen = chosen,
            Hybrid = cluster.NodeCount > 1 ? planner.Best(Sharding.Parameters, cluster, isHybrid: true) : null,
            LeastGpuCount = leastGpus,
            TensorDegree = chosen is null && leastGpus is null && request.Sharding is null or Sharding.Parameters
                ? planner.TensorDegree() : null,
            StateBytes = all.GradientBytes * (request.Options.Ema is null ? 1 : 2) + all.MomentBytes,
        };
    }

    private static RewardTransformer ShapesOf(PlanRequest request)
    {
        var model = RewardTransformer.WithoutWeights(NamedModel.ConfigOf(request.Model));
        try
        {
            if (request.Options.StoredWeights is { } stored)
                model.FreezeAs(stored.UnfrozenLayers, stored.Storage);
            Trainer.ChooseTrained(model, request.Options);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private sealed class Planner(PlanRequest request, RewardTransformer model, ModelShape shape)
    {
        private const int leastTokens = 256;
        private const int mostNodes = 4096;

        /// <summary>The shortest step that fits, or the one that takes least memory.</summary>
        public PlannedStep Best(Sharding sharding, ClusterShape cluster, bool isHybrid)
        {
            var steps = SettingsOf(sharding, cluster, isHybrid).Select(settings => StepOf(settings, cluster)).ToArray();
            return steps.Where(step => step.Fits).MinBy(step => step.Time.Total) ?? steps.MinBy(step => step.Memory.Total)!;
        }

        /// <summary>The fewest whole nodes on which the sharding that was asked for fits, or dividing everything.</summary>
        public int? LeastGpuCount()
        {
            var sharding = request.Sharding ?? Sharding.Parameters;
            var perNode = request.Cluster.GpusPerNode;
            bool Fits(int nodes) => SmallestOf(sharding, request.Cluster with { GpuCount = nodes * perNode })
                .Total <= request.Cluster.UsableBytes;
            if (!Fits(mostNodes))
                return null;
            // More ranks never take more memory.
            var (least, most) = (1, mostNodes);
            while (least < most)
            {
                var middle = (least + most) / 2;
                (least, most) = Fits(middle) ? (least, middle) : (middle + 1, most);
            }
            return most * perNode;
        }

        /// <summary>Into how many parts matrices had to be cut for what can't be divided among ranks.</summary>
        public int TensorDegree()
        {
            var memory = SmallestOf(Sharding.Parameters, request.Cluster with { GpuCount = mostNodes * request.Cluster.GpusPerNode });
            var degree = 2;
            while (memory.Total / degree > request.Cluster.UsableBytes)
                degree *= 2;
            return degree;
        }

        private RankMemory SmallestOf(Sharding sharding, ClusterShape cluster) =>
            SettingsOf(sharding, cluster, isHybrid: false).Select(settings => MemoryOf(settings, cluster)).MinBy(memory => memory.Total)!;

        private IEnumerable<StepSettings> SettingsOf(Sharding sharding, ClusterShape cluster, bool isHybrid)
        {
            var workload = request.Workload;
            var most = workload.BatchesOf(cluster.GpuCount, long.MaxValue, shape.IsCausal).Tokens;
            var sizes = request.MaxTokensPerBatch is { } given
                ? [given]
                : Enumerable.Range(0, 40).Select(power => (long)leastTokens << power).TakeWhile(tokens => tokens < 2 * most);
            bool[] checkpointing = request.Options.ActivationCheckpointing || sharding == Sharding.Parameters ? [true] : [false, true];
            return
                from tokens in sizes.DefaultIfEmpty(leastTokens)
                from isOn in checkpointing
                select new StepSettings(sharding, tokens, isOn, request.OffloadsOptimizer, isHybrid);
        }

        private PlannedStep StepOf(StepSettings settings, ClusterShape cluster)
        {
            var memory = MemoryOf(settings, cluster);
            var time = StepTime.Of(shape, cluster, request.Workload, settings, request.Measured);
            return new PlannedStep(settings, memory, time, memory.Total <= cluster.UsableBytes);
        }

        private RankMemory MemoryOf(StepSettings settings, ClusterShape cluster)
        {
            var batch = request.Workload.BatchesOf(cluster.GpuCount, settings.MaxTokensPerBatch, shape.IsCausal).Largest;
            return RankMemory.Of(
                shape, settings.Sharding, settings.DividesWithinNodes ? cluster.AllRanks.Inside : cluster.GpuCount,
                ActivationMemory.Of(model, batch, request.Options.Precision, settings.Recomputes), settings.OffloadsOptimizer,
                request.Options.Ema is not null);
        }
    }
}
