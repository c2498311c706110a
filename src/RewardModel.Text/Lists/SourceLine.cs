namespace RewardModel.Lists;

/// <summary>Where a list was read from, for messages: <c>train.jsonl:17</c>.</summary>
/// <param name="File">The file's path as the user gave it; empty for lists made in code.</param>
/// <param name="Line">The line, or the row of a table, counted from 1; 0 for lists made in code.</param>
public readonly record struct SourceLine(string File, int Line)
{
    /// <summary>Whether <see cref="Line"/> counts the rows of a table: these have no lines.</summary>
    public bool IsRow { get; init; }

    /// <summary>Where in its file: <c>line 17</c>, <c>row 17</c>.</summary>
    internal string Place => $"{(IsRow ? "row" : "line")} {Line}";

    /// <summary><c>file:line</c>, <c>file, row 17</c> of a table, or <c>(in memory)</c> for lists made in code.</summary>
    public override string ToString() => Line == 0 ? "(in memory)" : IsRow ? $"{File}, {Place}" : $"{File}:{Line}";
}
