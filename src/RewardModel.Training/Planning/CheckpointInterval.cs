namespace RewardModel.Training.Planning;

/// <summary>How often a run writes its state, and what failures cost it.</summary>
/// <param name="WriteSeconds">Time of writing a state, in which nothing else is done: d.</param>
/// <param name="RestartSeconds">Time from a failure until the run goes on from its last state: R.</param>
/// <param name="MeanSecondsBetweenFailures">Of all machines together, which fail at random: M.</param>
internal sealed record CheckpointInterval(double WriteSeconds, double RestartSeconds, double MeanSecondsBetweenFailures)
{
    /// <summary>
    /// The interval of work between states that costs least by Young's first-order formula, sqrt(2 d M) (Young, "A first order
    /// approximation to the optimum checkpoint interval", Communications of the ACM 17(9), 1974).
    /// </summary>
    public double Young => Math.Sqrt(2 * WriteSeconds * MeanSecondsBetweenFailures);

    /// <summary>
    /// The same by Daly's higher-order formula, sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + (d / 2M) / 9) - d, and M where d is 2 M or more (Daly,
    /// "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation Computer Systems 22(3), 2006).
    /// </summary>
    public double Daly
    {
        get
        {
            var share = WriteSeconds / (2 * MeanSecondsBetweenFailures);
            return share >= 1 ? MeanSecondsBetweenFailures : Young * (1 + Math.Sqrt(share) / 3 + share / 9) - WriteSeconds;
        }
    }

    /// <summary>
    /// Expected time of a run that has work for so many seconds, with states after intervals of work: M e^(R/M) (e^((t + d)/M) - 1)
    /// work / t (Daly, as above). A failure while writing or restarting counts as well.
    /// </summary>
    public double ExpectedSeconds(double workSeconds, double intervalSeconds) =>
        MeanSecondsBetweenFailures * Math.Exp(RestartSeconds / MeanSecondsBetweenFailures)
        * (Math.Exp((intervalSeconds + WriteSeconds) / MeanSecondsBetweenFailures) - 1) * workSeconds / intervalSeconds;

    /// <summary>The share of a run's time that is work which counts.</summary>
    public double Goodput(double intervalSeconds) => 1 / ExpectedSeconds(1, intervalSeconds);
}
