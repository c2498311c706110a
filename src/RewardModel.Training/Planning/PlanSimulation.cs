namespace RewardModel.Training.Planning;

/// <summary>A plan's run as it was simulated.</summary>
/// <param name="Run">The whole run with all its ranks, with states at Daly's interval.</param>
/// <param name="Intervals">Other intervals.</param>
internal sealed record PlanSimulation(SimulatedRun Run, IReadOnlyList<SimulatedInterval> Intervals)
{
    private const int runsOfInterval = 20;

    // Enough failures to tell intervals apart: as many as a run of that many means between failures has.
    private const double failuresOfRun = 50;

    // Steps of an interval are counted whole; more of them than that tell no more.
    private const int mostStepsOfInterval = 8;

    private static readonly double[] factors = [0.25, 0.5, 0.7, 1, 1.4, 2, 4];

    /// <summary>Simulates a plan that fits.</summary>
    /// <exception cref="ArgumentException">There are more ranks than are simulated, or the run makes no progress.</exception>
    public static PlanSimulation Of(RunPlan plan, ulong seed)
    {
        var time = plan.Chosen!.Time;
        var failures = plan.Failures;
        var cluster = plan.Request.Cluster;
        var run = SimulatedRun.Of(new SimulationSettings
        {
            RankCount = cluster.GpuCount,
            NodeCount = cluster.NodeCount,
            StepCount = plan.StepCount,
            ComputationSeconds = time.Computation,
            CommunicationSeconds = time.ExposedCommunication,
            FixedSeconds = time.Optimizer + time.Fixed,
            Spread = new StepSpread(
                plan.Request.Measured?.StepSpread ?? SpreadKind.Normal, plan.Request.Measured?.StepDeviation ?? 0),
            MeanSecondsBetweenFailures = failures.MeanSecondsBetweenFailures,
            IntervalSeconds = failures.Daly,
            WriteSeconds = failures.WriteSeconds,
            RestartSeconds = failures.RestartSeconds,
            Seed = seed,
        });
        var step = Math.Max(time.Total, factors[0] * failures.Daly / mostStepsOfInterval);
        return new PlanSimulation(run, SimulatedInterval.Around(
            failures, failuresOfRun * failures.MeanSecondsBetweenFailures, step, factors, runsOfInterval, seed));
    }
}
