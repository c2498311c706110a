namespace RewardModel.Training.Reporting;

/// <summary>Reports how far something is as a part of a run.</summary>
/// <typeparam name="T">What is told of it.</typeparam>
internal sealed class PhaseProgress<T> : IProgress<T>
{
    private readonly IProgress<TrainingReport> progress;
    private readonly TrainingPhase phase;
    private readonly int step;
    private readonly Func<T, (long Done, long Total)> count;

    private PhaseProgress(IProgress<TrainingReport> progress, TrainingPhase phase, int step, Func<T, (long Done, long Total)> count) =>
        (this.progress, this.phase, this.step, this.count) = (progress, phase, step, count);

    /// <summary>Null where nobody wants to know.</summary>
    public static IProgress<T>? Of(
        IProgress<TrainingReport>? progress, TrainingPhase phase, int step, Func<T, (long Done, long Total)> count) =>
        progress is null ? null : new PhaseProgress<T>(progress, phase, step, count);

    public void Report(T value)
    {
        var (done, total) = count(value);
        progress.Report(new PhaseReport(step, phase, done, total));
    }
}
