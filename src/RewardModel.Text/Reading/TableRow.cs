namespace RewardModel.Reading;

/// <summary>One row that a reader of tables gives: a JSON object, or what is wrong with it.</summary>
/// <param name="Utf8">The row as a JSON object in UTF-8; empty where there is a problem. Valid until the next row.</param>
public readonly record struct TableRow(ReadOnlyMemory<byte> Utf8)
{
    /// <summary>Why the row can't be read; null where it can.</summary>
    public string? Problem { get; init; }

    /// <summary>The line of the file that a row with a problem begins in, counted from 1; null where that is not known.</summary>
    public int? Line { get; init; }
}
