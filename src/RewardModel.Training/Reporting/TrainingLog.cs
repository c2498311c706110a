using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;

namespace RewardModel.Training.Reporting;

/// <summary>
/// Writes reports as JSON, one object a line, with the members of <see cref="StepReport"/> or <see cref="EvaluationReport"/> in
/// snake_case. A resumed run continues where its state was saved: later lines, of steps that are repeated, are removed first, and that of
/// the average at the run's end.
/// </summary>
internal sealed class TrainingLog : IProgress<TrainingReport>, IDisposable
{
    private static readonly JsonSerializerOptions jsonOptions = new(ReportJson.Options)
    {
        WriteIndented = false,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private readonly string path;
    private readonly int? keepToStep;
    private StreamWriter? writer;

    /// <summary>Prepares the log. The file is opened at the first report only, so that a run that fails to start leaves it alone.</summary>
    /// <param name="path">The file; its directory is made when it is not there.</param>
    /// <param name="keepToStep">Lines up to this step are kept; null: the log starts empty.</param>
    public TrainingLog(string path, int? keepToStep = null)
    {
        this.path = path;
        this.keepToStep = keepToStep;
    }

    /// <summary>Writes one line.</summary>
    public void Report(TrainingReport value)
    {
        // How far something is, is of no interest afterwards.
        if (value is PhaseReport)
            return;
        writer ??= Open();
        writer.WriteLine(JsonSerializer.Serialize<object>(value, jsonOptions));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => writer?.Dispose();

    private StreamWriter Open()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string[] kept = keepToStep is { } step && File.Exists(path)
            ? [.. File.ReadLines(path).Where(line => StepOf(line) is { } lineStep && lineStep <= step)]
            : [];
        PendingFile.WriteText(path, string.Concat(kept.Select(line => line + "\n")));
        return new StreamWriter(path, append: true) { AutoFlush = true };
    }

    /// <summary>Null for the line that was being written when the run was killed, and for what is evaluated again at the end.</summary>
    private static int? StepOf(string line)
    {
        try
        {
            return JsonNode.Parse(line) is { } report && report["average_of"] is null ? report["step"]?.GetValue<int>() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
