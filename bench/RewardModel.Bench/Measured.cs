namespace RewardModel.Bench;

/// <summary>A side and the times that it has taken, in seconds; medians of them.</summary>
/// <param name="side">The process; the caller disposes of it.</param>
/// <param name="tokens">How many tokens it computes in a step.</param>
internal sealed class Measured(Side side, int tokens)
{
    private readonly List<double> steps = [];
    private readonly List<double> scorings = [];

    public Side Side => side;

    public int Tokens => tokens;

    public double StepSeconds => Comparison.Median(steps);

    public double ScoringSeconds => Comparison.Median(scorings);

    /// <summary>In MiB.</summary>
    public double PeakMemory => (double)side.Ask("memory")["mib"]!;

    /// <summary>Steps that don't count, for two seconds: .NET compiles a method anew when it has been called for a while.</summary>
    public void WarmUp()
    {
        for (double seconds = 0; seconds < 2;)
            seconds += side.Seconds("step") + side.Seconds("score");
    }

    public void Step() => steps.Add(side.Seconds("step"));

    public void Score() => scorings.Add(side.Seconds("score"));
}
