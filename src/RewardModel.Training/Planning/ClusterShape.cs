namespace RewardModel.Training.Planning;

/// <summary>The GPUs that train a model together, a rank each, and what connects them. Bytes, seconds, operations a second.</summary>
internal sealed record ClusterShape
{
    /// <summary>
    /// Share of the memory's bandwidth that an optimiser reaches: 13.5 ms of a step of Llama 1B (bench/results/2026-11-26-h100.md).
    /// </summary>
    public const double MemoryEfficiency = 0.76;

    /// <summary>Left to the driver, libtorch and what it can't use of its pool; assumed.</summary>
    public const long ReservedBytes = 2_000_000_000;

    /// <summary>GPUs, which are ranks.</summary>
    public required int GpuCount { get; init; }

    /// <summary>GPUs of a node; fewer where there are not so many in all.</summary>
    public int GpusPerNode { get; init; } = 8;

    /// <summary>Memory of a GPU.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Peak of a GPU's products.</summary>
    public required double PeakFlops { get; init; }

    /// <summary>Share of it that layers reach; null: <see cref="DefaultEfficiency"/>.</summary>
    public double? Efficiency { get; init; }

    /// <summary>Bandwidth of a GPU's memory.</summary>
    public required double MemoryBandwidth { get; init; }

    /// <summary>From a GPU to another of its node, in one direction.</summary>
    public required double LinkBandwidth { get; init; }

    /// <summary>Of a message within a node; assumed.</summary>
    public double LinkLatency { get; init; } = 3e-6;

    /// <summary>From a node to the others, in one direction.</summary>
    public required double NodeBandwidth { get; init; }

    /// <summary>Of a message between nodes.</summary>
    public required double NodeLatency { get; init; }

    /// <summary>From a GPU to the CPU's memory and back: PCI Express 5.0 x16 has 64 GB/s in a direction, of which 50 are assumed.</summary>
    public double HostLinkBandwidth { get; init; } = 50e9;

    /// <summary>A GPU's share of the CPU's memory's bandwidth; assumed: 400 GB/s for eight.</summary>
    public double HostMemoryBandwidth { get; init; } = 50e9;

    /// <summary>Nodes.</summary>
    public int NodeCount => (GpuCount + GpusPerNode - 1) / GpusPerNode;

    /// <summary>What a rank may use of a GPU's memory.</summary>
    public long UsableBytes => MemoryBytes - ReservedBytes;

    /// <summary>All ranks.</summary>
    public RankGroup AllRanks => new(
        GpuCount / NodeCount, NodeCount, LinkBandwidth, NodeBandwidth, LinkLatency, NodeLatency);

    /// <summary>
    /// The share of the peak that this trainer reached on one H100 in bfloat16, the optimiser's time taken off
    /// (bench/results/2026-11-26-h100.md): 0.15 at GPT-2's width of 768, 0.30 at a Llama's of 2048. In between by the logarithm of the
    /// width; wider models are taken to reach no more, which was not measured.
    /// </summary>
    /// <param name="width">Numbers of a token between layers.</param>
    public static double DefaultEfficiency(long width) =>
        0.15 + 0.15 * Math.Clamp(Math.Log(width / 768.0) / Math.Log(2048.0 / 768), 0, 1);

    /// <summary>Which of the values can't be, one sentence each without a full stop.</summary>
    public IEnumerable<string> Problems()
    {
        if (GpuCount < 1)
            yield return $"--gpus is {GpuCount}; expected at least 1";
        else if (GpuCount > 1_000_000)
            yield return $"--gpus is {GpuCount}; expected at most 1000000";
        else if (GpusPerNode < 1)
            yield return $"--gpus-per-node is {GpusPerNode}; expected at least 1";
        else if (GpuCount % NodeCount != 0)
            yield return $"--gpus is {GpuCount} and --gpus-per-node {GpusPerNode}; expected as many GPUs in every node";
        if (MemoryBytes <= ReservedBytes)
            yield return FormattableString.Invariant(
                $"--memory is {MemoryBytes / 1e9} GB; expected more than the {ReservedBytes / 1e9} GB that driver and libtorch are left");
        if (Efficiency is { } efficiency && !(efficiency is > 0 and <= 1))
            yield return FormattableString.Invariant($"--efficiency is {efficiency}; expected a number above 0, at most 1");
        foreach (var (name, value) in new[]
        {
            ("--peak-tflops", PeakFlops), ("--link-bandwidth", LinkBandwidth), ("--node-bandwidth", NodeBandwidth),
        })
            if (!(value > 0 && double.IsFinite(value)))
                yield return $"{name} is not a positive number; expected one";
        foreach (var (name, value) in new[] { ("--link-latency", LinkLatency), ("--node-latency", NodeLatency) })
            if (!(value >= 0 && double.IsFinite(value)))
                yield return $"{name} is below 0 or not finite; expected microseconds from 0";
    }
}
