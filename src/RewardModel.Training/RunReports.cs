using RewardModel.Training.Reporting;

namespace RewardModel.Training;

/// <summary>Passes on what a run tells: to its log, to TensorBoard's files where there are to be some, and to the caller.</summary>
/// <param name="log">The log.</param>
/// <param name="tensorBoard">TensorBoard's files; null: none.</param>
/// <param name="progress">The caller's; null: nobody's.</param>
internal sealed class RunReports(TrainingLog log, TensorBoardLog? tensorBoard, IProgress<TrainingReport>? progress)
    : IProgress<TrainingReport>
{
    private bool hasBegun;
    private int stepCount;

    /// <summary>Passes on a report. Those with a line in the log come from one thread.</summary>
    public void Report(TrainingReport value)
    {
        if (LogJson.IsLogged(value))
        {
            // The same in all files.
            var time = TimeProvider.System.GetUtcNow();
            log.Write(value, time);
            tensorBoard?.Write(value, time);
            hasBegun = true;
            stepCount = value.Step;
        }
        progress?.Report(value);
    }

    /// <summary>Tells that an exception ended the run, if it had begun.</summary>
    public void ReportEnd(Exception exception)
    {
        if (!hasBegun)
            return;
        var reason = exception switch
        {
            OperationCanceledException => EndReason.Cancelled,
            TrainingDivergedException => EndReason.Diverged,
            _ => EndReason.Failed,
        };
        try
        {
            Report(new EndReport(stepCount, reason) { Message = reason == EndReason.Cancelled ? null : exception.Message });
        }
        catch (IOException)
        {
            // What ended the run is thrown: it may be that nothing can be written.
        }
    }
}
