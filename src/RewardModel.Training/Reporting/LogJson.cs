using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RewardModel.Training.Reporting;

/// <summary>
/// Reports as lines of a run's log: one JSON object each, its type and time first, then the members of the report in snake_case.
/// </summary>
internal static class LogJson
{
    private const string runType = "run";
    private const string stepType = "step";
    private const string evaluationType = "evaluation";
    private const string endType = "end";

    // Commands and paths stay readable.
    private static readonly JsonSerializerOptions options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    // What is null that can't be has not been written by this library.
    private static readonly JsonSerializerOptions readOptions = new(options) { RespectNullableAnnotations = true };

    /// <summary>Whether a report has a line: how far something is, is of no interest afterwards.</summary>
    public static bool IsLogged(TrainingReport report) => report is not PhaseReport;

    /// <summary>The line of a report in UTF-8, with its line break.</summary>
    public static byte[] LineOf(TrainingReport report, DateTimeOffset time)
    {
        var type = report switch
        {
            RunReport => runType,
            StepReport => stepType,
            EvaluationReport => evaluationType,
            EndReport => endType,
            _ => throw new InvalidOperationException($"A {report.GetType().Name} has no type in the log."),
        };
        var first = string.Create(
            CultureInfo.InvariantCulture, $"{{\"type\":\"{type}\",\"time\":\"{time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\",");
        return [.. Encoding.UTF8.GetBytes(first), .. JsonSerializer.SerializeToUtf8Bytes<object>(report, options).AsSpan(1), (byte)'\n'];
    }

    /// <summary>
    /// The report of a line, and its time; null where it has none: of types that are not known, and of lines that were being written when
    /// the run was killed. Lines of versions that wrote neither type nor time are told apart by their members.
    /// </summary>
    public static (DateTimeOffset? Time, TrainingReport Report)? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var head = LogLineHead.Of(line);
            TrainingReport? report = head.Type switch
            {
                runType => JsonSerializer.Deserialize<RunReport>(line, readOptions),
                stepType => JsonSerializer.Deserialize<StepReport>(line, readOptions),
                evaluationType => JsonSerializer.Deserialize<EvaluationReport>(line, readOptions),
                endType => JsonSerializer.Deserialize<EndReport>(line, readOptions),
                null when head.HasMetrics => JsonSerializer.Deserialize<EvaluationReport>(line, readOptions),
                null when head.HasLoss => JsonSerializer.Deserialize<StepReport>(line, readOptions),
                _ => null,
            };
            return report is null or EvaluationReport { Metrics: null } ? null : (head.Time, report);
        }
        // InvalidOperationException: text that is no UTF-8, or an escaped half of a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// The step after which a line was written; null where a run that goes on after it writes the line anew: that of the average at the
    /// end, and that which was being written when the run was killed.
    /// </summary>
    public static int? StepOf(ReadOnlySpan<byte> line)
    {
        try
        {
            var head = LogLineHead.OfWhole(line);
            return head.IsOfAverage ? null : head.Step;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
