using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>What <see cref="RankedListReader"/> read: lists of text or lists of token ids, never both.</summary>
/// <param name="Lists">The lists of text, in the file's order; empty in a file of token ids.</param>
/// <param name="TokenizedLists">The lists of token ids, in the file's order; empty in a file of text.</param>
/// <param name="BadLines">The lines left out under <see cref="BadData.Skip"/>.</param>
/// <param name="IgnoredKeys">Keys without a meaning, each with the number of good lines that have it: metadata, or a typing error.</param>
public sealed record RankedListFile(
    IReadOnlyList<RankedList> Lists,
    IReadOnlyList<TokenizedList> TokenizedLists,
    IReadOnlyList<BadLine> BadLines,
    IReadOnlyDictionary<string, int> IgnoredKeys)
{
    /// <summary>How many escaped lone surrogates, halves of characters, were read as U+FFFD in the lists' lines.</summary>
    public int LoneSurrogateCount { get; init; }

    /// <summary>How many prompts were not given, but are what two dialogues both start with, by the rule that found their end.</summary>
    internal IReadOnlyDictionary<PromptEnd, int> FoundPrompts { get; init; } = new Dictionary<PromptEnd, int>();

    /// <summary>How many rows were read by each layout.</summary>
    internal IReadOnlyDictionary<DataLayout, int> RowsOfLayouts { get; init; } = new Dictionary<DataLayout, int>();

    /// <summary>How many answers were left out that their data set marks as not compared: not scored, not ranked, or deleted.</summary>
    internal int LeftOutAnswerCount { get; init; }

    /// <summary>In how many rows answers started with the prompt, which was taken off them.</summary>
    internal int RepeatedPromptCount { get; init; }
}
