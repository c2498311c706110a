using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>Makes <see cref="CompactLists"/>, list by list. One thread at a time may add.</summary>
/// <param name="sink">Takes the lists; disposed of with the writer, unless they are finished.</param>
internal sealed class CompactListsWriter(IListSink sink) : IDisposable
{
    private readonly ByteWriter bytes = new();
    private readonly Dictionary<string, int> numbersOfFiles = new(StringComparer.Ordinal);
    private readonly List<string> files = [];
    private bool isFinished;

    /// <summary>A writer of lists in memory.</summary>
    public CompactListsWriter()
        : this(new MemoryListStore())
    {
    }

    /// <summary>Number of lists added.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a list.</summary>
    /// <param name="list">A list with as many scores as answers; not kept.</param>
    /// <param name="keys">Its keys: those of its text, where it was text.</param>
    /// <param name="isCut">Whether its prompt or an answer lost tokens.</param>
    /// <exception cref="ArgumentException">It has more or fewer scores, prompts of their own or attributes than answers.</exception>
    public void Add(TokenizedList list, ListKeys keys, bool isCut = false)
    {
        ArgumentNullException.ThrowIfNull(list);
        var count = list.AnswerIds.Count;
        if (list.Scores.Count != count || (list.OwnPromptIds ?? list.AnswerIds).Count != count || (list.Attributes?.Count ?? count) != count)
            throw new ArgumentException(
                $"The list {list.Source} has {count} answers, {list.Scores.Count} scores, {list.OwnPromptIds?.Count.ToString() ?? "no"} prompts of "
                + $"their own and attributes of {list.Attributes?.Count.ToString() ?? "no"} answers; expected as many of each.", nameof(list));
        bytes.Clear();
        ListEncoding.Write(bytes, list);
        var info = ListInfo.Of(list, keys);
        sink.Add(
            new ListEntry(
                isCut ? info with { Flags = info.Flags | ListFlags.Cut } : info, Position: 0, NumberOf(list.Source.File),
                ListEntry.LineOf(list.Source)),
            bytes.Written);
        Count++;
    }

    /// <summary>The lists that were added. Nothing can be added afterwards.</summary>
    /// <param name="notes">What else is to be kept with them.</param>
    /// <returns>The caller's.</returns>
    public CompactLists Finish(string notes = "")
    {
        isFinished = true;
        return sink.Finish(files, notes);
    }

    /// <summary>What was added and not finished is gone.</summary>
    public void Dispose()
    {
        if (!isFinished)
            sink.Dispose();
    }

    private int NumberOf(string? file)
    {
        if (file is null)
            return 0;
        if (numbersOfFiles.TryGetValue(file, out var number))
            return number;
        files.Add(file);
        return numbersOfFiles[file] = files.Count;
    }
}
