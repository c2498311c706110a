using RewardModel.Files;

namespace RewardModel.Training.Reporting;

/// <summary>
/// Writes steps and evaluations as scalars that TensorBoard shows. A run that goes on has a new file, which makes TensorBoard forget the
/// steps that are taken again; an evaluation of an average of weights is of no step, and left out.
/// </summary>
internal sealed class TensorBoardLog : IDisposable
{
    private const string filePrefix = "events.out.tfevents.";

    private readonly string directory;
    private readonly int? keepToStep;
    private EventFile? file;

    /// <summary>Prepares the files. The first report opens one, so that a run that fails to start leaves them alone.</summary>
    /// <param name="directory">Their directory; made when it is not there.</param>
    /// <param name="keepToStep">Steps up to this one stay; null: those of an older run are deleted.</param>
    public TensorBoardLog(string directory, int? keepToStep)
    {
        this.directory = directory;
        this.keepToStep = keepToStep;
    }

    /// <summary>Writes the scalars of a report, if it has some.</summary>
    /// <param name="report">The report.</param>
    /// <param name="time">When it was made.</param>
    public void Write(TrainingReport report, DateTimeOffset time)
    {
        file ??= Open(time);
        var scalars = ScalarsOf(report);
        if (scalars.Length > 0)
            file.Write(report.Step, time, scalars);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file?.Dispose();

    private static (string Tag, double Value)[] ScalarsOf(TrainingReport report) => report switch
    {
        StepReport step =>
        [
            ("train/loss", step.Loss), ("train/accuracy", step.Accuracy), ("train/learning_rate", step.LearningRate),
            ("train/gradient_norm", step.GradientNorm), ("train/tokens_per_second", step.TokensPerSecond), ("train/epoch", step.Epoch),
            .. (step.LossTerms ?? new Dictionary<string, double>()).Select(term => ($"train/loss_terms/{term.Key}", term.Value)),
        ],
        EvaluationReport { AverageOf: null, Metrics: var metrics } =>
        [
            ("held_out/loss", metrics.Loss), ("held_out/accuracy", metrics.Accuracy), ("held_out/margin", metrics.Margin),
            ("held_out/kendall_tau", metrics.KendallTau), ("held_out/top_answer_accuracy", metrics.TopAnswerAccuracy),
            ("held_out/reward_mean", metrics.RewardMean), ("held_out/reward_standard_deviation", metrics.RewardStandardDeviation),
            .. (metrics.Attributes ?? []).Select(attribute => ($"held_out/squared_error/{attribute.Name}", attribute.MeanSquaredError)),
        ],
        _ => [],
    };

    private EventFile Open(DateTimeOffset time)
    {
        Disk.CreateDirectory(directory);
        string[] older = [.. Directory.EnumerateFiles(directory, $"{filePrefix}*")];
        if (keepToStep is null)
            foreach (var path in older)
                Disk.Delete(path);
        // Counted, as TensorBoard reads files in the order of their names, whatever clocks say.
        var number = keepToStep is null ? 0 : older.Length;
        return new EventFile(Path.Combine(directory, $"{filePrefix}{number:D6}"), time, firstStep: keepToStep + 1);
    }
}
