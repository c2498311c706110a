using System.Text.Json;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Training.Data;

/// <summary>What is told of data that were read, kept beside the lists, so that a second start tells the same.</summary>
/// <param name="Name">What messages call the data.</param>
internal sealed record DataNotes(string Name)
{
    /// <summary>How many lists were read, those that the tokenizer rejects among them.</summary>
    public int ReadCount { get; init; }

    /// <summary>Rows that are no lists.</summary>
    public IReadOnlyList<BadLine> BadLines { get; init; } = [];

    /// <summary>Lists that the tokenizer or its chat template rejects.</summary>
    public IReadOnlyList<BadLine> Rejected { get; init; } = [];

    /// <summary>Keys without a meaning, each with its number of rows.</summary>
    public IReadOnlyDictionary<string, int> IgnoredKeys { get; init; } = new Dictionary<string, int>();

    /// <summary>Halves of characters that were replaced.</summary>
    public int LoneSurrogateCount { get; init; }

    /// <summary>Prompts that were found as far as the last turn of what two dialogues both start with.</summary>
    public int FoundTurnCount { get; init; }

    /// <summary>Prompts that were found as far as the last word of what two texts both start with.</summary>
    public int FoundWordCount { get; init; }

    /// <summary>Rows of layouts other than ours, by the layout's name.</summary>
    public IReadOnlyDictionary<string, int> Layouts { get; init; } = new Dictionary<string, int>();

    /// <summary>Rows in which answers started with the prompt, which was taken off them.</summary>
    public int RepeatedPromptCount { get; init; }

    /// <summary>Answers that are not compared: not scored, not ranked, or deleted.</summary>
    public int LeftOutAnswerCount { get; init; }

    /// <summary>What was cut to the model's maximum length.</summary>
    public TruncationCount Cut { get; init; }

    /// <summary>What else is kept with the lists; null for nothing.</summary>
    public string? Extra { get; init; }

    /// <summary>The notes of rows that were read.</summary>
    /// <param name="name">What messages call the data.</param>
    /// <param name="read">What was counted.</param>
    /// <param name="readCount">How many lists there are.</param>
    public static DataNotes Of(string name, RankedListFile read, int readCount) => new(name)
    {
        ReadCount = readCount,
        BadLines = read.BadLines,
        IgnoredKeys = read.IgnoredKeys,
        LoneSurrogateCount = read.LoneSurrogateCount,
        FoundTurnCount = read.FoundPrompts.GetValueOrDefault(PromptEnd.Turn),
        FoundWordCount = read.FoundPrompts.GetValueOrDefault(PromptEnd.Word),
        Layouts = read.RowsOfLayouts.Where(pair => pair.Key != DataLayout.Own).ToDictionary(pair => pair.Key.Name, pair => pair.Value),
        RepeatedPromptCount = read.RepeatedPromptCount,
        LeftOutAnswerCount = read.LeftOutAnswerCount,
    };

    /// <summary>The notes that <see cref="ToJson"/> wrote.</summary>
    public static DataNotes Parse(string json) => JsonSerializer.Deserialize<DataNotes>(json)!;

    /// <summary>The notes as they are kept.</summary>
    public string ToJson() => JsonSerializer.Serialize(this);
}
