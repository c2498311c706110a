using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>A row of data as it was read: mostly one list, or a problem.</summary>
/// <param name="Source">Where it was read from.</param>
internal sealed record ParsedRow(SourceLine Source)
{
    /// <summary>Its lists, if it holds text and no problem; several where it is a tree of answers.</summary>
    public IReadOnlyList<RankedList> Lists { get; init; } = [];

    /// <summary>Its list, if it holds one of text.</summary>
    public RankedList? List => Lists is [var list] ? list : null;

    /// <summary>Its list, if it holds token ids.</summary>
    public TokenizedList? TokenizedList { get; init; }

    /// <summary>What it holds, if that is no list but one text or conversation.</summary>
    public WholeText? Whole { get; init; }

    /// <summary>How many escaped lone surrogates, halves of characters, were read in it as U+FFFD.</summary>
    public int LoneSurrogateCount { get; init; }

    /// <summary>Whether its list is one answer only, which belongs together with those of the other rows that have the same prompt.</summary>
    public bool IsPart { get; init; }

    /// <summary>Whether it gives one answer by itself, not a list of them.</summary>
    public bool IsSingle { get; init; }

    /// <summary>Which of several sources it comes from, counted from 0.</summary>
    public int SourceNumber { get; init; }

    /// <summary>Keys that have no meaning.</summary>
    public IReadOnlyList<string> IgnoredKeys { get; init; } = [];

    /// <summary>How the end of the prompt was found.</summary>
    public PromptEnd PromptEnd { get; init; }

    /// <summary>Whether answers repeated the prompt at their start, where it was taken off.</summary>
    public bool HadRepeatedPrompt { get; init; }

    /// <summary>How many answers were left out, as the data neither rank nor score them, or mark them as deleted.</summary>
    public int LeftOutAnswerCount { get; init; }

    /// <summary>What is wrong; null when there is nothing.</summary>
    public string? Problem { get; init; }

    /// <summary>The layout that it was read by; null where it was not read as far as that.</summary>
    public DataLayout? Layout { get; init; }

    /// <summary>The JSON object, where it is one and was asked for.</summary>
    public JsonElement? Row { get; init; }
}
