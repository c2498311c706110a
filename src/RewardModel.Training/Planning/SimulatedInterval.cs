namespace RewardModel.Training.Planning;

/// <summary>What an interval between states costs, in simulated runs and by Daly's formula.</summary>
/// <param name="Seconds">Work between two states.</param>
/// <param name="Goodput">Mean share of the time that is work which counts, over several simulated runs.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="Expected">The same by <see cref="CheckpointInterval.Goodput"/>.</param>
internal sealed record SimulatedInterval(double Seconds, double Goodput, double Error, double Expected)
{
    /// <summary>
    /// Runs with intervals around Daly's. Whole steps of the run stand for what its ranks do, as failures know nothing of single ranks; the
    /// same failures come with every interval.
    /// </summary>
    /// <param name="interval">Times of writing and restarting, and between failures.</param>
    /// <param name="workSeconds">Work of a run.</param>
    /// <param name="stepSeconds">Of a step.</param>
    /// <param name="factors">Intervals, as multiples of Daly's.</param>
    /// <param name="runCount">Runs of each interval, from 2.</param>
    /// <param name="seed">Decides the failures.</param>
    public static IReadOnlyList<SimulatedInterval> Around(
        CheckpointInterval interval, double workSeconds, double stepSeconds, IReadOnlyList<double> factors, int runCount, ulong seed) =>
    [
        .. factors.Select(factor =>
        {
            // Whole steps, at least one.
            var seconds = Math.Max(1, Math.Round(factor * interval.Daly / stepSeconds)) * stepSeconds;
            var goodputs = Enumerable.Range(0, runCount).Select(run => SimulatedRun.Of(new SimulationSettings
            {
                RankCount = 1,
                StepCount = Math.Max(1, (long)Math.Round(workSeconds / stepSeconds)),
                ComputationSeconds = stepSeconds,
                MeanSecondsBetweenFailures = interval.MeanSecondsBetweenFailures,
                IntervalSeconds = seconds,
                WriteSeconds = interval.WriteSeconds,
                RestartSeconds = interval.RestartSeconds,
                Seed = seed + (ulong)run,
            }).Goodput).ToArray();
            var mean = goodputs.Average();
            var variance = goodputs.Sum(goodput => (goodput - mean) * (goodput - mean)) / (runCount - 1);
            return new SimulatedInterval(seconds, mean, Math.Sqrt(variance / runCount), interval.Goodput(seconds));
        }),
    ];
}
