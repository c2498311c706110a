using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>Reads the lines of a file one by one, without keeping them, and counts what is to be told about them.</summary>
/// <param name="path">The file; - is standard input.</param>
/// <param name="areToScore">As in <see cref="RankedListLine.Parse(ReadOnlyMemory{byte}, SourceLine, bool)"/>.</param>
/// <exception cref="RankedDataException">There is no such file.</exception>
internal sealed class RankedLines(string path, bool areToScore = false) : IDisposable
{
    private readonly JsonLines lines = new(path);
    private readonly List<BadLine> badLines = [];
    private readonly SortedDictionary<string, int> ignoredKeys = new(StringComparer.Ordinal);
    private readonly Dictionary<PromptEnd, int> foundPrompts = [];
    private int loneSurrogateCount;

    /// <summary>The lines with a problem, of those that were read so far.</summary>
    public IReadOnlyList<BadLine> BadLines => badLines;

    /// <summary>How many lists were read so far.</summary>
    public int ListCount { get; private set; }

    /// <inheritdoc cref="JsonLines.CanReadAgain"/>
    public bool CanReadAgain => lines.CanReadAgain;

    /// <summary>Reads the lines, those with a problem too. A second time, it counts anew.</summary>
    /// <exception cref="RankedDataException">The file as a whole can't be read.</exception>
    public IEnumerable<RankedListLine> Read()
    {
        badLines.Clear();
        ignoredKeys.Clear();
        foundPrompts.Clear();
        (loneSurrogateCount, ListCount) = (0, 0);
        RankedListLine? first = null;
        foreach (var (source, utf8, loneSurrogates) in lines.Lines())
        {
            var line = RankedListLine.Parse(utf8, source, areToScore);
            if (line.Problem is null && first is not null && (first.List is null) != (line.List is null))
                line = line with
                {
                    List = null,
                    TokenizedList = null,
                    Problem = $"{Kind(line)}, expected {Kind(first)} as in line {first.Source.Line}: a file holds one kind",
                };
            if (line.Problem is not null)
            {
                badLines.Add(new BadLine(source, line.Problem));
            }
            else
            {
                first ??= line;
                ListCount++;
                loneSurrogateCount += loneSurrogates;
                if (line.PromptEnd != PromptEnd.Given)
                    foundPrompts[line.PromptEnd] = foundPrompts.GetValueOrDefault(line.PromptEnd) + 1;
                foreach (var key in line.IgnoredKeys)
                    ignoredKeys[key] = ignoredKeys.GetValueOrDefault(key) + 1;
            }
            yield return line;
        }
    }

    /// <summary>What was counted, about these lists.</summary>
    public RankedListFile Summary(IReadOnlyList<RankedList> lists, IReadOnlyList<TokenizedList> tokenizedLists) =>
        new(lists, tokenizedLists, [.. badLines], ignoredKeys) { LoneSurrogateCount = loneSurrogateCount, FoundPrompts = foundPrompts };

    public void Dispose() => lines.Dispose();

    private static string Kind(RankedListLine line) => line.List is null ? "token ids" : "text";
}
