using System.Globalization;

namespace RewardModel.Training.Planning;

/// <summary>
/// A run as a simulation of events: every rank computes, the step's messages begin when the last rank is done, and the step ends when the
/// last node's messages have arrived. After an interval of work the state is written. A failure ends whatever is going on, and the run goes
/// on from its last whole state. Failures come at random (a Poisson process), while writing and restarting too.
/// </summary>
internal sealed record SimulatedRun
{
    // A run that fails before each state is written would never end.
    private const long maxEventCount = 200_000_000;
    private const double maxTimesOfWork = 1000;

    /// <summary>The whole run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Steps whose results counted in the end.</summary>
    public required long StepCount { get; init; }

    /// <summary>Failures.</summary>
    public required int FailureCount { get; init; }

    /// <summary>States written.</summary>
    public required int StateCount { get; init; }

    /// <summary>Spent on writing states that became whole.</summary>
    public required double WritingSeconds { get; init; }

    /// <summary>Spent on steps and states that failures undid.</summary>
    public required double LostSeconds { get; init; }

    /// <summary>Spent on restarts, also those that failed.</summary>
    public required double RestartingSeconds { get; init; }

    /// <summary>Events.</summary>
    public required long EventCount { get; init; }

    /// <summary>Spent on steps that counted.</summary>
    public double WorkSeconds => Seconds - WritingSeconds - LostSeconds - RestartingSeconds;

    /// <summary>The share of the time that is work which counts.</summary>
    public double Goodput => WorkSeconds / Seconds;

    /// <summary>Simulates a run; the same settings give the same run.</summary>
    /// <exception cref="ArgumentException">A setting can't be, or the run makes no progress.</exception>
    public static SimulatedRun Of(SimulationSettings settings)
    {
        if (settings.RankCount is < 1 or > SimulationSettings.MaxRankCount)
            throw new ArgumentException(
                $"The run has {settings.RankCount} ranks; expected 1 to {SimulationSettings.MaxRankCount} to simulate. Plan it without "
                + "--simulate.");
        if (settings.NodeCount < 1 || settings.NodeCount > settings.RankCount)
            throw new ArgumentException(
                $"The run has {settings.NodeCount} nodes for {settings.RankCount} ranks; expected a rank in every node.");
        if (!(settings.IntervalSeconds > 0 && settings.MeanSecondsBetweenFailures > 0))
            throw new ArgumentException("The interval between states or between failures is not positive; expected seconds above 0.");
        return new Simulation(settings).Run();
    }

    private enum EventKind
    {
        RankDone,
        NodeDone,
        StepDone,
        StateWritten,
        Failure,
        Restarted,
    }

    /// <param name="Kind">What happens.</param>
    /// <param name="Attempt">Failures before: what a failure has undone does not happen.</param>
    private readonly record struct Event(EventKind Kind, int Attempt);

    private sealed class Simulation(SimulationSettings settings)
    {
        private readonly EventQueue<Event> events = new();
        private readonly RandomNumbers ofWork = new(2 * settings.Seed), ofFailures = new(2 * settings.Seed + 1);
        private long steps, savedSteps;
        private int failures, states, waited;
        // When the last state was whole, or the run began from it again; when work began after that; when a restart began.
        private double savedAt, workFrom, restartFrom;
        private double writing, lost, restarting;
        private bool isRestarting;

        public SimulatedRun Run()
        {
            var work = settings.StepCount * (settings.ComputationSeconds + settings.CommunicationSeconds + settings.FixedSeconds);
            AddFailure();
            StartStep();
            while (steps < settings.StepCount)
            {
                Happen(events.Next());
                if (events.AddedCount > maxEventCount || (failures > 0 && events.Now > maxTimesOfWork * (work + settings.WriteSeconds)))
                    throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                        $"After {failures} failures the simulated run has {steps} of {settings.StepCount} steps; expected states to be ")
                        + string.Create(CultureInfo.InvariantCulture,
                            $"written faster than failures come, every {settings.MeanSecondsBetweenFailures:N0} s. ")
                        + "Write them faster, or more often.");
            }
            return new SimulatedRun
            {
                Seconds = events.Now,
                StepCount = steps,
                FailureCount = failures,
                StateCount = states,
                WritingSeconds = writing,
                LostSeconds = lost,
                RestartingSeconds = restarting,
                EventCount = events.AddedCount,
            };
        }

        private void Happen(Event now)
        {
            if (now.Kind != EventKind.Failure && now.Attempt != failures)
                return;
            switch (now.Kind)
            {
                case EventKind.RankDone:
                    if (--waited == 0)
                        StartMessages();
                    break;
                case EventKind.NodeDone:
                    if (--waited == 0)
                        Add(settings.FixedSeconds, EventKind.StepDone);
                    break;
                case EventKind.StepDone:
                    steps++;
                    // A step that would end behind the interval by more than half of it is the next interval's.
                    if (steps == settings.StepCount)
                        break;
                    if (events.Now - workFrom >= settings.IntervalSeconds - StepSeconds / 2)
                        Add(settings.WriteSeconds, EventKind.StateWritten);
                    else
                        StartStep();
                    break;
                case EventKind.StateWritten:
                    states++;
                    writing += settings.WriteSeconds;
                    savedSteps = steps;
                    savedAt = workFrom = events.Now;
                    StartStep();
                    break;
                case EventKind.Failure:
                    Fail();
                    break;
                case EventKind.Restarted:
                    isRestarting = false;
                    restarting += settings.RestartSeconds;
                    savedAt = workFrom = events.Now;
                    StartStep();
                    break;
            }
        }

        private double StepSeconds => settings.ComputationSeconds + settings.CommunicationSeconds + settings.FixedSeconds;

        private void StartStep()
        {
            waited = settings.RankCount;
            for (var rank = 0; rank < settings.RankCount; rank++)
                Add(settings.ComputationSeconds * settings.Spread.Draw(ofWork), EventKind.RankDone);
        }

        private void StartMessages()
        {
            waited = settings.NodeCount;
            for (var node = 0; node < settings.NodeCount; node++)
                Add(settings.CommunicationSeconds * settings.Spread.Draw(ofWork), EventKind.NodeDone);
        }

        private void Fail()
        {
            failures++;
            if (isRestarting)
                restarting += events.Now - restartFrom;
            else
                lost += events.Now - savedAt;
            steps = savedSteps;
            isRestarting = true;
            restartFrom = events.Now;
            Add(settings.RestartSeconds, EventKind.Restarted);
            AddFailure();
        }

        private void AddFailure()
        {
            if (double.IsFinite(settings.MeanSecondsBetweenFailures))
                events.Add(settings.MeanSecondsBetweenFailures * ofFailures.NextExponential(), new Event(EventKind.Failure, 0));
        }

        private void Add(double delay, EventKind kind) => events.Add(delay, new Event(kind, failures));
    }
}
