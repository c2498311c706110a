namespace RewardModel.Training.Planning;

/// <summary>What a step spends most of its time on.</summary>
internal enum Bottleneck
{
    /// <summary>Matrix products and attention.</summary>
    Computation,

    /// <summary>Messages that nothing hides.</summary>
    Communication,

    /// <summary>The optimiser, or the way of its numbers to the CPU and back.</summary>
    Optimizer,

    /// <summary>Waiting for the slowest rank, or for one that has a list more.</summary>
    Waiting,
}

/// <summary>The time of an optimiser step, by what it is spent on, in seconds.</summary>
internal sealed record StepTime
{
    /// <summary>Forward and backward passes of the rank with most lists.</summary>
    public required double Computation { get; init; }

    /// <summary>All messages, hidden or not.</summary>
    public required double Communication { get; init; }

    /// <summary>What of them is not hidden behind computation.</summary>
    public required double ExposedCommunication { get; init; }

    /// <summary>The optimiser's update of the rank's part, with the gradient's norm.</summary>
    public required double Optimizer { get; init; }

    /// <summary>What the slowest rank takes longer than the mean of them.</summary>
    public required double Straggling { get; init; }

    /// <summary>What does not depend on the work.</summary>
    public required double Fixed { get; init; }

    /// <summary>Bytes that a rank sends in a step.</summary>
    public required double BytesSent { get; init; }

    /// <summary>Tokens of a step on all ranks.</summary>
    public required long Tokens { get; init; }

    /// <summary>Arithmetic of a step on all ranks, without what is computed again.</summary>
    public required double Flops { get; init; }

    /// <summary>Micro-batches of a rank.</summary>
    public required int BatchCount { get; init; }

    /// <summary>Computation that all ranks would have if lists could be shared evenly.</summary>
    public required double EvenComputation { get; init; }

    /// <summary>The step.</summary>
    public double Total => Computation + ExposedCommunication + Optimizer + Straggling + Fixed;

    /// <summary>Tokens a second.</summary>
    public double TokensPerSecond => Tokens / Total;

    /// <summary>The share of the step that every rank computes in: 1 is what as many ranks without messages would have.</summary>
    public double Efficiency => EvenComputation / Total;

    /// <summary>What takes most time.</summary>
    public Bottleneck Bottleneck => new (double Seconds, Bottleneck Kind)[]
    {
        (EvenComputation, Bottleneck.Computation), (ExposedCommunication, Bottleneck.Communication),
        (Optimizer, Bottleneck.Optimizer), (Computation - EvenComputation + Straggling, Bottleneck.Waiting),
    }.MaxBy(part => part.Seconds).Kind;

    /// <summary>The time of a step.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cluster">The ranks and what connects them.</param>
    /// <param name="workload">The lists.</param>
    /// <param name="settings">How the step is done.</param>
    /// <param name="measured">What was measured instead.</param>
    public static StepTime Of(
        ModelShape model, ClusterShape cluster, WorkloadShape workload, StepSettings settings, Measured? measured = null)
    {
        measured ??= new Measured();
        cluster = measured.ApplyTo(cluster);
        var ranks = cluster.GpuCount;
        var sharding = ranks == 1 ? Sharding.None : settings.Sharding;
        var batches = workload.BatchesOf(ranks, settings.MaxTokensPerBatch, model.IsCausal);
        var flops = StepFlops.Of(model, batches.Tokens, batches.Pairs);
        // What is scored without gradients first.
        var before = batches.AreListsDivided ? flops.Forward : 0;
        var forward = flops.Forward + before;
        var backward = flops.Backward + (settings.Recomputes ? flops.Recomputed : 0);
        var computation = measured.SecondsPerToken * batches.Tokens
            ?? (forward + backward) / (cluster.PeakFlops * (cluster.Efficiency ?? ClusterShape.DefaultEfficiency(model.LayerShapes[0].Width)));
        var all = model.All;
        var layers = Math.Max(1, model.Layers.Count);
        var perFlop = forward + backward == 0 ? 0 : computation / (forward + backward);
        var messages = new Messages(model, cluster, settings with { Sharding = sharding });
        var timeline = new StepTimeline
        {
            LayerCount = layers,
            Forward = perFlop * forward / batches.Count / layers,
            Backward = perFlop * backward / batches.Count / layers,
            Gather = sharding == Sharding.Parameters ? (messages.Gather(model.Root), messages.Gather(messages.Layer)) : default,
            Reduce = (messages.Reduce(model.Root), messages.Reduce(messages.Layer)),
            ReducesEachBatch = sharding >= Sharding.Gradients,
            Overlaps = measured.OverlapsCommunication ?? true,
        };
        var passes = timeline.Run(batches.Count);
        var afterwards = messages.SecondsAfterwards;
        var trainedPart = messages.PartOf(all.TrainedParameters);
        var evenly = computation * workload.ListsPerStep / ((double)batches.ListCount * ranks);
        var spread = new StepSpread(measured.StepSpread ?? SpreadKind.Normal, measured.StepDeviation ?? 0);
        return new StepTime
        {
            Computation = computation,
            Communication = timeline.Communication + afterwards,
            ExposedCommunication = Math.Clamp(passes - computation, 0, timeline.Communication) + afterwards,
            Optimizer = measured.OptimizerSeconds * trainedPart / Math.Max(1, all.TrainedParameters)
                ?? OptimizerTime(trainedPart, messages.PartOf(all.MomentBytes), cluster, settings.OffloadsOptimizer),
            Straggling = computation * (spread.ExpectedLargest(ranks) - 1),
            Fixed = measured.FixedSecondsPerStep ?? 0,
            BytesSent = messages.BytesSent(batches.Count),
            Tokens = workload.ListsPerStep * workload.TokensPerList(model.IsCausal),
            Flops = (flops.Forward + flops.Backward) * workload.ListsPerStep / batches.ListCount,
            BatchCount = batches.Count,
            EvenComputation = evenly,
        };
    }

    /// <summary>
    /// An update is bound by memory: of each number the weight is read and written, the gradient read twice, for its norm as well, and the
    /// moments are read and written. Offloaded, gradients go to the CPU, weights come back, and the CPU's memory is what counts.
    /// </summary>
    private static double OptimizerTime(double parameters, double momentBytes, ClusterShape cluster, bool isOffloaded)
    {
        var bytes = 16 * parameters + 2 * momentBytes;
        return isOffloaded
            ? bytes / cluster.HostMemoryBandwidth + 8 * parameters / cluster.HostLinkBandwidth
            : bytes / (cluster.MemoryBandwidth * ClusterShape.MemoryEfficiency);
    }

    /// <summary>What ranks send in a step.</summary>
    private sealed class Messages(ModelShape model, ClusterShape cluster, StepSettings settings)
    {
        private readonly bool isHybrid = settings.DividesWithinNodes && cluster.NodeCount > 1;
        private readonly RankGroup ranks = settings.DividesWithinNodes ? cluster.AllRanks with { Nodes = 1 } : cluster.AllRanks;

        /// <summary>A layer as they are on average.</summary>
        public GroupShape Layer { get; } = model.Layers.Count == 0 ? default : new GroupShape(
            (long)model.Layers.Average(layer => layer.Parameters), (long)model.Layers.Average(layer => layer.WeightBytes),
            (long)model.Layers.Average(layer => layer.TrainedParameters), 0);

        /// <summary>What is done when all gradients have been added up: hybrid ones between nodes, and updated weights gathered.</summary>
        public double SecondsAfterwards => BetweenNodes + (settings.Sharding is Sharding.Optimizer or Sharding.Gradients
            ? ranks.Seconds(model.All.GradientBytes) + model.Layers.Count * MessageLatency
            : 0);

        public double Gather(GroupShape group) => group.WeightBytes == 0 ? 0 : ranks.Seconds(group.WeightBytes);

        public double Reduce(GroupShape group) => group.TrainedParameters == 0 ? 0
            : settings.Sharding == Sharding.None ? ranks.AllReduceSeconds(group.GradientBytes)
            : ranks.Seconds(group.GradientBytes);

        /// <summary>A rank's part of what is divided with the optimiser's state.</summary>
        public double PartOf(long count) => settings.Sharding == Sharding.None ? count : count / (double)ranks.Size;

        public double BytesSent(int batchCount)
        {
            var all = model.All;
            double gradients = ranks.BytesSent(all.GradientBytes), weights = ranks.BytesSent(all.WeightBytes);
            var layers = ranks.BytesSent(all.WeightBytes - model.Root.WeightBytes);
            return settings.Sharding switch
            {
                Sharding.None or Sharding.Optimizer => 2 * gradients,
                Sharding.Gradients => (batchCount + 1) * gradients,
                // The layers' weights for both passes, the others once.
                _ => batchCount * (weights + layers + gradients),
            } + (isHybrid ? 2 * BetweenNodeGroup.BytesSent(all.GradientBytes / (double)ranks.Inside) : 0);
        }

        /// <summary>Ranks with the same part, one in each node.</summary>
        private RankGroup BetweenNodeGroup => cluster.AllRanks with { Inside = 1, NodeBandwidth = cluster.NodeBandwidth / ranks.Inside };

        private double BetweenNodes => isHybrid ? BetweenNodeGroup.AllReduceSeconds(model.All.GradientBytes / (double)ranks.Inside) : 0;

        /// <summary>What a message takes that carries nothing.</summary>
        private double MessageLatency => ranks.Seconds(0);
    }
}
