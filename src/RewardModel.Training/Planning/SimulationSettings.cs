namespace RewardModel.Training.Planning;

/// <summary>What a simulated run is made of; times in seconds.</summary>
internal sealed record SimulationSettings
{
    /// <summary>Ranks, at most <see cref="MaxRankCount"/>.</summary>
    public required int RankCount { get; init; }

    /// <summary>Nodes, whose connections are used when all ranks have computed.</summary>
    public int NodeCount { get; init; } = 1;

    /// <summary>Steps of the run.</summary>
    public required long StepCount { get; init; }

    /// <summary>Mean time of a rank's computation in a step.</summary>
    public required double ComputationSeconds { get; init; }

    /// <summary>Mean time of a node's messages that computation does not hide.</summary>
    public double CommunicationSeconds { get; init; }

    /// <summary>What every step takes besides, on all ranks alike.</summary>
    public double FixedSeconds { get; init; }

    /// <summary>How both vary.</summary>
    public StepSpread Spread { get; init; }

    /// <summary>Mean time between failures of all ranks together; infinite: there are none.</summary>
    public double MeanSecondsBetweenFailures { get; init; } = double.PositiveInfinity;

    /// <summary>Work between states; infinite: none is written.</summary>
    public double IntervalSeconds { get; init; } = double.PositiveInfinity;

    /// <summary>Time of writing a state.</summary>
    public double WriteSeconds { get; init; }

    /// <summary>From a failure until the run goes on.</summary>
    public double RestartSeconds { get; init; }

    /// <summary>Decides all that is random.</summary>
    public ulong Seed { get; init; }

    /// <summary>Most ranks that are simulated.</summary>
    public const int MaxRankCount = 1024;
}
