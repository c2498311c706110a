using System.Text.Json;

namespace RewardModel.Training.Reporting;

/// <summary>What is asked of a line of a log before it is read as a report.</summary>
/// <param name="Type">Its type; null for lines of versions that wrote none.</param>
/// <param name="Time">When it was written; null likewise.</param>
/// <param name="Step">Its step.</param>
/// <param name="HasLoss">Whether it has a loss, as steps do.</param>
/// <param name="HasMetrics">Whether it has metrics, as evaluations do.</param>
/// <param name="IsOfAverage">Whether it is of the average at the end of a run.</param>
internal readonly record struct LogLineHead(
    string? Type, DateTimeOffset? Time, int? Step, bool HasLoss, bool HasMetrics, bool IsOfAverage)
{
    /// <summary>Of a line; of one that begins with its type and its time, these alone.</summary>
    /// <exception cref="JsonException">It is no JSON object as far as it was read.</exception>
    public static LogLineHead Of(ReadOnlySpan<byte> line) => Of(line, isWhole: false);

    /// <summary>Of a whole line.</summary>
    /// <exception cref="JsonException">It is no JSON object.</exception>
    public static LogLineHead OfWhole(ReadOnlySpan<byte> line) => Of(line, isWhole: true);

    private static LogLineHead Of(ReadOnlySpan<byte> line, bool isWhole)
    {
        var head = new LogLineHead();
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("The line is no object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isTime = reader.ValueTextEquals("time"u8);
            var isStep = reader.ValueTextEquals("step"u8);
            head = head with
            {
                HasLoss = head.HasLoss || reader.ValueTextEquals("loss"u8),
                HasMetrics = head.HasMetrics || reader.ValueTextEquals("metrics"u8),
                IsOfAverage = head.IsOfAverage || reader.ValueTextEquals("average_of"u8),
            };
            reader.Read();
            if (isType && reader.TokenType == JsonTokenType.String)
                head = head with { Type = NameOf(reader) };
            else if (isTime && reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time))
                head = head with { Time = time };
            else if (isStep && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var step))
                head = head with { Step = step };
            reader.Skip();
            if (!isWhole && head is { Type: not null, Time: not null })
                return head;
        }
        // What follows the object is an error.
        reader.Read();
        return head;
    }

    /// <summary>Most lines are of steps: their type is no new text.</summary>
    private static string NameOf(in Utf8JsonReader reader) => reader.ValueTextEquals("step"u8) ? "step" : reader.GetString()!;
}
