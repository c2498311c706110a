using RewardModel.Training.Optimization;

namespace RewardModel.Tests.Training.Optimization;

public class LearningRateScheduleTests
{
    [Theory]
    [InlineData(ScheduleKind.Constant, 0.0, new[] { 0, 0.5, 1, 1, 1, 1, 1 })]
    [InlineData(ScheduleKind.Linear, 0.0, new[] { 0, 0.5, 1, 0.75, 0.5, 0.25, 0 })]
    [InlineData(ScheduleKind.Linear, 0.2, new[] { 0, 0.5, 1, 0.8, 0.6, 0.4, 0.2 })]
    [InlineData(ScheduleKind.Cosine, 0.0, new[] { 0, 0.5, 1, 0.8535533905932737, 0.5, 0.14644660940672627, 0 })]
    [InlineData(ScheduleKind.Cosine, 0.1, new[] { 0, 0.5, 1, 0.8681980515339464, 0.55, 0.23180194846605365, 0.1 })]
    public void Warms_up_and_goes_down(ScheduleKind kind, double finalRatio, double[] expected)
    {
        var schedule = new LearningRateSchedule(kind, 4e-3, WarmupSteps: 2, TotalSteps: 6, finalRatio);
        for (var step = 0; step < expected.Length; step++)
            Assert.Equal(4e-3 * expected[step], schedule.At(step), 1e-12);
    }

    // 1 - sqrt of the share of the cooldown that is over.
    [Theory]
    [InlineData(2, 4, 0.0, new[] { 0, 0.5, 1, 1, 1, 0.5, 0.2928932188134524, 0.1339745962155614 })]
    [InlineData(0, 4, 0.2, new[] { 1, 1, 1, 1, 1, 0.6, 0.4343145750507620, 0.3071796769724491 })]
    [InlineData(0, 1, 0.0, new[] { 1.0, 1, 1, 1, 1, 1, 1, 1 })]
    [InlineData(4, 4, 0.0, new[] { 0, 0.25, 0.5, 0.75, 1, 0.5, 0.2928932188134524, 0.1339745962155614 })]
    public void Warms_up_stays_and_cools_down(int warmup, int cooldown, double finalRatio, double[] expected)
    {
        var schedule = new LearningRateSchedule(ScheduleKind.Wsd, 4e-3, warmup, TotalSteps: 8, finalRatio, cooldown);
        for (var step = 0; step < expected.Length; step++)
            Assert.Equal(4e-3 * expected[step], schedule.At(step), 1e-12);
        Assert.Equal(4e-3 * finalRatio, schedule.At(8), 1e-12);
    }

    [Fact]
    public void Without_warm_up_the_first_step_has_the_full_rate() =>
        Assert.Equal(1e-3, new LearningRateSchedule(ScheduleKind.Cosine, 1e-3, 0, 100).At(0));
}
