using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class SimulatedRunTests
{
    private static readonly SimulationSettings plain = new()
    {
        RankCount = 1,
        StepCount = 1000,
        ComputationSeconds = 1,
        MeanSecondsBetweenFailures = 500,
        IntervalSeconds = 20,
        WriteSeconds = 2,
        RestartSeconds = 10,
    };

    [Fact]
    public void Events_come_by_time_and_those_of_one_time_in_their_order()
    {
        var queue = new EventQueue<string>();
        queue.Add(2, "third");
        queue.Add(1, "first");
        queue.Add(1, "second");
        Assert.Equal(["first", "second", "third"], new[] { queue.Next(), queue.Next(), queue.Next() });
        Assert.Equal(2, queue.Now);
        queue.Add(0.5, "later");
        Assert.Equal(("later", 2.5), (queue.Next(), queue.Now));
        Assert.Throws<InvalidOperationException>(() => queue.Next());
        Assert.Throws<ArgumentOutOfRangeException>(() => queue.Add(-1, "before"));
    }

    [Fact]
    public void Without_failures_a_run_takes_its_steps_and_its_states()
    {
        var run = SimulatedRun.Of(new SimulationSettings
        {
            RankCount = 16,
            NodeCount = 2,
            StepCount = 100,
            ComputationSeconds = 3,
            CommunicationSeconds = 0.5,
            FixedSeconds = 0.25,
            IntervalSeconds = 37.5,
            WriteSeconds = 7,
        });
        // After each ten steps of 3.75 s, but not after the last.
        Assert.Equal((375 + 9 * 7.0, 9, 0), (run.Seconds, run.StateCount, run.FailureCount));
        Assert.Equal((63.0, 0.0, 0.0), (run.WritingSeconds, run.LostSeconds, run.RestartingSeconds));
        Assert.Equal(375 / 438.0, run.Goodput, 1e-12);
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_another()
    {
        var settings = plain with { RankCount = 8, Spread = new StepSpread(SpreadKind.Normal, 0.1) };
        Assert.Equal(SimulatedRun.Of(settings), SimulatedRun.Of(settings));
        Assert.NotEqual(SimulatedRun.Of(settings).Seconds, SimulatedRun.Of(settings with { Seed = 1 }).Seconds);
    }

    [Theory]
    [InlineData(nameof(SpreadKind.Normal), 64)]
    [InlineData(nameof(SpreadKind.Exponential), 64)]
    [InlineData(nameof(SpreadKind.Exponential), 1024)]
    public void A_step_takes_as_long_as_its_slowest_rank(string kind, int ranks)
    {
        var spread = new StepSpread(Enum.Parse<SpreadKind>(kind), 0.1);
        const int steps = 2000;
        var run = SimulatedRun.Of(new SimulationSettings { RankCount = ranks, StepCount = steps, ComputationSeconds = 2, Spread = spread });
        // The largest of many has a deviation of at most 1.3 times 0.1; five standard errors.
        Assert.Equal(2 * spread.ExpectedLargest(ranks), run.Seconds / steps, 5 * 2 * 0.13 / Math.Sqrt(steps));
        Assert.True(run.Seconds / steps > 2.2);
        Assert.Equal(steps * (ranks + 2L), run.EventCount);
    }

    [Theory]
    [InlineData(1000, 20)]
    [InlineData(500, 60)]
    [InlineData(100, 20)]
    public void With_failures_it_takes_on_average_what_Daly_expects(double mean, double interval)
    {
        // Of a hundred intervals, and the last state, which a run leaves out.
        var settings = plain with { MeanSecondsBetweenFailures = mean, IntervalSeconds = interval, StepCount = 100 * (long)interval };
        var seconds = Enumerable.Range(0, 200)
            .Select(seed => SimulatedRun.Of(settings with { Seed = (ulong)seed }).Seconds + settings.WriteSeconds).ToArray();
        var average = seconds.Average();
        var error = Math.Sqrt(seconds.Sum(s => (s - average) * (s - average)) / 199 / 200);
        var expected = new CheckpointInterval(settings.WriteSeconds, settings.RestartSeconds, mean)
            .ExpectedSeconds(settings.StepCount, interval);
        Assert.Equal(expected, average, 4 * error);
        // And so closely that first-order figures would not do.
        Assert.True(error < 0.01 * expected);
    }

    [Fact]
    public void Time_is_work_states_losses_and_restarts()
    {
        var run = SimulatedRun.Of(plain with { MeanSecondsBetweenFailures = 60 });
        Assert.True(run.FailureCount > 10 && run.LostSeconds > 0 && run.RestartingSeconds > 0);
        Assert.Equal(1000, run.WorkSeconds, 1e-6);
        Assert.Equal(2.0 * run.StateCount, run.WritingSeconds, 1e-9);
        Assert.Equal(1000, run.StepCount);
    }

    [Fact]
    public void Fewer_failures_and_faster_states_are_better()
    {
        double Goodput(SimulationSettings settings) =>
            Enumerable.Range(0, 20).Average(seed => SimulatedRun.Of(settings with { Seed = (ulong)seed }).Goodput);
        Assert.True(Goodput(plain with { MeanSecondsBetweenFailures = 2000 }) > Goodput(plain));
        Assert.True(Goodput(plain with { WriteSeconds = 1 }) > Goodput(plain));
        Assert.True(Goodput(plain with { RestartSeconds = 1 }) > Goodput(plain));
    }

    /// <summary>The optimum that simulated runs have, by the parabola through their losses over the interval's logarithm.</summary>
    [Theory]
    [InlineData(5, 2000)]
    [InlineData(20, 4000)]
    public void The_best_interval_is_Dalys(double write, double mean)
    {
        var interval = new CheckpointInterval(write, 30, mean);
        double[] factors = [0.5, 0.6, 0.7, 0.85, 1, 1.2, 1.4, 1.7, 2];
        var runs = SimulatedInterval.Around(interval, 100 * mean, Math.Round(interval.Daly / 20), factors, 60, seed: 3);
        Assert.All(runs, run => Assert.Equal(run.Expected, run.Goodput, Math.Max(4 * run.Error, 1e-3)));
        double[] x = [.. runs.Select(run => Math.Log(run.Seconds / interval.Daly))], y = [.. runs.Select(run => 1 / run.Goodput)];
        Assert.Equal(1, Math.Exp(VertexOf(x, y)), 0.15);
        // Young's first-order interval is longer by about d, less a third of it.
        Assert.True(interval.Young > interval.Daly);
        var best = runs.MaxBy(run => run.Goodput)!;
        Assert.True(best.Goodput - runs[4].Goodput < 4 * best.Error);
        Assert.True(runs[4].Goodput > runs[0].Goodput && runs[4].Goodput > runs[^1].Goodput);
    }

    [Fact]
    public void A_run_that_makes_no_progress_ends_with_what_to_do()
    {
        var error = Assert.Throws<ArgumentException>(() =>
            SimulatedRun.Of(plain with { MeanSecondsBetweenFailures = 1, WriteSeconds = 30 }));
        Assert.Contains("simulated run has 0 of 1000 steps; expected states to be written faster than failures come, every 1 s. ",
            error.Message);
    }

    [Theory]
    [InlineData(0, 1, "The run has 0 ranks; expected 1 to 1024 to simulate. Plan it without --simulate.")]
    [InlineData(1025, 1, "The run has 1025 ranks; expected 1 to 1024 to simulate. Plan it without --simulate.")]
    [InlineData(4, 5, "The run has 5 nodes for 4 ranks; expected a rank in every node.")]
    public void Bad_sizes_are_refused(int ranks, int nodes, string message) => Assert.Equal(
        message, Assert.Throws<ArgumentException>(() => SimulatedRun.Of(plain with { RankCount = ranks, NodeCount = nodes })).Message);

    /// <summary>Where the parabola of least squares is lowest.</summary>
    private static double VertexOf(double[] x, double[] y)
    {
        // Normal equations of a + b x + c x^2, solved by elimination.
        var matrix = new double[3, 4];
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 3; j++)
                matrix[i, j] = x.Sum(value => Math.Pow(value, i + j));
            matrix[i, 3] = x.Zip(y, (a, b) => Math.Pow(a, i) * b).Sum();
        }
        for (var pivot = 0; pivot < 3; pivot++)
            for (var row = 0; row < 3; row++)
            {
                var factor = row == pivot ? 0 : matrix[row, pivot] / matrix[pivot, pivot];
                for (var column = 0; column < 4; column++)
                    matrix[row, column] -= factor * matrix[pivot, column];
            }
        return -(matrix[1, 3] / matrix[1, 1]) / (2 * matrix[2, 3] / matrix[2, 2]);
    }
}
