using RewardModel.Files;

namespace RewardModel.Training.Reporting;

/// <summary>
/// Writes reports as JSON, one object a line: see <see cref="LogJson"/>. A resumed run continues where its state was saved: later lines, of
/// steps that are repeated, are removed first, and that of the average at the run's end.
/// </summary>
internal sealed class TrainingLog : IDisposable
{
    private readonly string path;
    private readonly int? keepToStep;
    private FileStream? file;

    /// <summary>Prepares the log. The file is opened at the first report only, so that a run that fails to start leaves it alone.</summary>
    /// <param name="path">The file; its directory is made when it is not there.</param>
    /// <param name="keepToStep">Lines up to this step are kept; null: the log starts empty.</param>
    public TrainingLog(string path, int? keepToStep = null)
    {
        this.path = path;
        this.keepToStep = keepToStep;
    }

    /// <summary>Writes the line of a report, if it has one.</summary>
    /// <param name="report">The report.</param>
    /// <param name="time">When it was made.</param>
    public void Write(TrainingReport report, DateTimeOffset time)
    {
        if (!LogJson.IsLogged(report))
            return;
        file ??= Open();
        file.Write(LogJson.LineOf(report, time));
        file.Flush();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file?.Dispose();

    private FileStream Open()
    {
        Disk.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var kept = new PendingFile(path))
        {
            if (keepToStep is { } last && File.Exists(path))
                foreach (var line in LogLines.Read(path))
                    if (LogJson.StepOf(line.Span) is { } step && step <= last)
                    {
                        kept.Content.Write(line.Span);
                        kept.Content.WriteByte((byte)'\n');
                    }
            kept.Commit();
        }
        return Disk.Open(path, FileMode.Append, FileShare.Read);
    }
}
