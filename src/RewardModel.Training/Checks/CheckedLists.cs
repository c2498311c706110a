using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Training.Checks;

/// <summary>
/// What is kept of all lists: hashes and lengths, 16 bytes a list and 32 an answer, and a number for each different prompt.
/// </summary>
internal sealed class CheckedLists
{
    private readonly List<Row> rows = [];
    private readonly List<CheckedAnswer> answers = [];
    private readonly Dictionary<ulong, int> prompts = [];
    private readonly List<string> files = [];

    public int Count => rows.Count;

    public int AnswerCount => answers.Count;

    /// <summary>Different prompts.</summary>
    public int PromptCount => prompts.Count;

    private readonly record struct Row(int Prompt, int FirstAnswer, int File, int Line);

    /// <returns>Whether the prompt was not there before.</returns>
    public bool Add(ulong promptHash, ReadOnlySpan<CheckedAnswer> ofList, SourceLine source)
    {
        if (files.Count == 0 || files[^1] != source.File)
            files.Add(source.File);
        var isNew = prompts.TryAdd(promptHash, prompts.Count);
        rows.Add(new Row(prompts[promptHash], answers.Count, files.Count - 1, ListEntry.LineOf(source)));
        answers.AddRange(ofList);
        return isNew;
    }

    /// <summary>The number of a list's prompt.</summary>
    public int PromptOf(int list) => rows[list].Prompt;

    public SourceLine SourceOf(int list) => ListEntry.SourceOf(files[rows[list].File], rows[list].Line);

    public ReadOnlySpan<CheckedAnswer> AnswersOf(int list) => CollectionsMarshal.AsSpan(answers)[
        rows[list].FirstAnswer..(list + 1 < rows.Count ? rows[list + 1].FirstAnswer : answers.Count)];

    /// <summary>
    /// For each list the number of what it is split by, as <see cref="PromptSplit"/> does: its prompt, or where all lists have the same
    /// one, its answers.
    /// </summary>
    public int[] Keys()
    {
        var keys = new int[Count];
        var numbers = new Dictionary<ulong, int>();
        for (var list = 0; list < keys.Length; list++)
            if (PromptCount > 1)
                keys[list] = PromptOf(list);
            else
            {
                ulong hash = 0;
                foreach (var answer in AnswersOf(list))
                    hash = TextHash.Joined(hash, answer.Hash);
                numbers.TryAdd(hash, numbers.Count);
                keys[list] = numbers[hash];
            }
        return keys;
    }

    /// <summary>The hash of a list's prompt, answers and scores, whatever the order of the answers is.</summary>
    public ulong HashOf(int list)
    {
        ulong sum = 0;
        foreach (var answer in AnswersOf(list))
            sum += TextHash.Joined(answer.Hash, BitConverter.DoubleToUInt64Bits(answer.Score));
        return TextHash.Joined((ulong)PromptOf(list), sum);
    }

    /// <summary>For each prompt its lists, in their order.</summary>
    public IEnumerable<ArraySegment<int>> ByPrompt()
    {
        var ends = new int[PromptCount];
        foreach (var row in rows)
            ends[row.Prompt]++;
        for (var prompt = 1; prompt < ends.Length; prompt++)
            ends[prompt] += ends[prompt - 1];
        var lists = new int[Count];
        var starts = (int[])ends.Clone();
        for (var list = Count - 1; list >= 0; list--)
            lists[--starts[rows[list].Prompt]] = list;
        for (var prompt = 0; prompt < ends.Length; prompt++)
            yield return new ArraySegment<int>(lists, starts[prompt], ends[prompt] - starts[prompt]);
    }
}
