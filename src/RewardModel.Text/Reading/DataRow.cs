using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>One row of a file.</summary>
/// <param name="Source">Its line, or its number in a table; an item of an array has the line where it begins.</param>
/// <param name="Utf8">A JSON value, or what should be one. Until the next row is read.</param>
/// <param name="LoneSurrogateCount">How many escapes of lone surrogates were replaced in it by escapes of U+FFFD.</param>
internal readonly record struct DataRow(SourceLine Source, ReadOnlyMemory<byte> Utf8, int LoneSurrogateCount)
{
    /// <summary>Why it can't be read as a row; null where it can.</summary>
    public string? Problem { get; init; }

    /// <summary>A row of a table.</summary>
    /// <param name="name">What messages call the table.</param>
    /// <param name="row">The row.</param>
    /// <param name="number">Its number, counted from 1.</param>
    public static DataRow Of(string name, TableRow row, int number) =>
        new(row.Line is { } line ? new SourceLine(name, line) : new SourceLine(name, number) { IsRow = true }, row.Utf8, 0)
        {
            Problem = row.Problem,
        };
}
