namespace RewardModel.Training.Planning;

/// <summary>What is to be planned.</summary>
internal sealed record PlanRequest
{
    /// <summary>A known name, a directory with a config.json, or such a file; no weights are read.</summary>
    public required string Model { get; init; }

    /// <summary>How it is trained: what of it, by which optimiser, in which precision.</summary>
    public required TrainingRunOptions Options { get; init; }

    /// <summary>The lists.</summary>
    public required WorkloadShape Workload { get; init; }

    /// <summary>The GPUs.</summary>
    public required ClusterShape Cluster { get; init; }

    /// <summary>What ranks divide; null: whatever gives the shortest step that fits.</summary>
    public Sharding? Sharding { get; init; }

    /// <summary>Most tokens of a micro-batch; null: whatever gives the shortest step that fits.</summary>
    public int? MaxTokensPerBatch { get; init; }

    /// <summary>Whether moments lie in the CPU's memory.</summary>
    public bool OffloadsOptimizer { get; init; }

    /// <summary>What was measured instead of being computed.</summary>
    public Measured? Measured { get; init; }

    /// <summary>
    /// Mean hours between failures of one GPU. Default: 50,000, from 419 unexpected interruptions of 16,384 GPUs in 54 days (Llama 3, arXiv
    /// 2407.21783, section 3.3.4).
    /// </summary>
    public double FailureHours { get; init; } = 50_000;

    /// <summary>Bytes a second that states are written with, by all ranks together; the default is assumed.</summary>
    public double StateBandwidth { get; init; } = 5e9;

    /// <summary>From a failure until the run goes on; the default is assumed.</summary>
    public double RestartSeconds { get; init; } = 600;

    /// <summary>Price of a GPU for an hour, in any currency; null: costs are not said.</summary>
    public double? HourPrice { get; init; }

    /// <summary>What can't be, one sentence each without a full stop.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var problem in Cluster.Problems().Concat(Workload.Problems()))
            yield return problem;
        if (MaxTokensPerBatch < 1)
            yield return $"--max-tokens-per-batch is {MaxTokensPerBatch}; expected at least 1";
        foreach (var (name, value) in new[]
        {
            ("--failure-hours", FailureHours), ("--state-bandwidth", StateBandwidth), ("--price-per-gpu-hour", HourPrice ?? 1),
        })
            if (!(value > 0 && double.IsFinite(value)))
                yield return FormattableString.Invariant($"{name} is {value}; expected a positive number");
        if (Measured?.StepDeviation is { } deviation && !(deviation is >= 0 and <= 1))
            yield return FormattableString.Invariant($"--step-deviation is {deviation}; expected a number from 0 to 1");
        if (!(RestartSeconds >= 0 && double.IsFinite(RestartSeconds)))
            yield return "--restart-minutes is below 0 or not finite; expected minutes from 0";
    }
}
