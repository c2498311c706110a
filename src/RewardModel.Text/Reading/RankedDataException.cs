namespace RewardModel.Reading;

/// <summary>A file of ranked lists that cannot be read, or that has bad lines.</summary>
public sealed class RankedDataException : Exception
{
    private const int MaxLinesShown = 50;

    /// <summary>The file as a whole cannot be read.</summary>
    /// <param name="message">What was found, what was expected, what to do.</param>
    /// <param name="innerException">The error underneath, if there is one.</param>
    public RankedDataException(string message, Exception? innerException = null)
        : base(message, innerException) => BadLines = [];

    /// <summary>The file has bad lines: the message shows the first 50 and counts the rest.</summary>
    /// <param name="path">The file.</param>
    /// <param name="badLines">All of its bad lines, at least one.</param>
    public RankedDataException(string path, IReadOnlyList<BadLine> badLines)
        : base(MessageFor(path, badLines)) => BadLines = badLines;

    private RankedDataException(string message, BadLine[] badLines)
        : base(message) => BadLines = badLines;

    /// <summary>Every bad line, also those that the message only counts; empty when the file as a whole cannot be read.</summary>
    public IReadOnlyList<BadLine> BadLines { get; }

    /// <summary>Bad lines of one file or more, which are put into the order of their lines.</summary>
    internal static RankedDataException Of(IEnumerable<BadLine> badLines)
    {
        BadLine[][] files =
        [
            .. badLines.GroupBy(line => line.Source.File).Select(file => file.OrderBy(line => line.Source.Line).ToArray()),
        ];
        return new RankedDataException(
            string.Join('\n', files.Select(file => MessageFor(file[0].Source.File, file))), [.. files.SelectMany(file => file)]);
    }

    private static string MessageFor(string path, IReadOnlyList<BadLine> badLines)
    {
        var lines = new List<string> { $"{DataPath.Quoted(path)} has {badLines.Count} bad {(badLines.All(line => line.Source.IsRow) ? "row" : "line")}{(badLines.Count == 1 ? "" : "s")}:" };
        lines.AddRange(badLines.Take(MaxLinesShown).Select(line => line.ToString()));
        if (badLines.Count > MaxLinesShown)
            lines.Add($"... and {badLines.Count - MaxLinesShown} more");
        lines.Add("Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).");
        return string.Join('\n', lines);
    }
}
