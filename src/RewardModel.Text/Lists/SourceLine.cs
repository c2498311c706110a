namespace RewardModel.Lists;

/// <summary>Where a list was read from, for messages: <c>train.jsonl:17</c>.</summary>
/// <param name="File">The file's path as the user gave it; empty for lists made in code.</param>
/// <param name="Line">The line, counted from 1; 0 for lists made in code.</param>
public readonly record struct SourceLine(string File, int Line)
{
    /// <summary><c>file:line</c>, or <c>(in memory)</c> for lists made in code.</summary>
    public override string ToString() => Line > 0 ? $"{File}:{Line}" : "(in memory)";
}
