using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// What a layout found in a row. It is made of fields that hold what they should, so only when all of them were read without a problem.
/// </summary>
internal sealed record RowReading
{
    /// <summary>Makes the lists; null where the row holds token ids, or a problem was found that leaves nothing to make.</summary>
    public Func<IEnumerable<RankedList>>? Lists { get; init; }

    /// <summary>Makes the list of a row of token ids.</summary>
    public Func<TokenizedList>? TokenizedList { get; init; }

    /// <inheritdoc cref="ParsedRow.IsPart"/>
    public bool IsPart { get; init; }

    /// <inheritdoc cref="ParsedRow.IsSingle"/>
    public bool IsSingle { get; init; }

    /// <inheritdoc cref="ParsedRow.PromptEnd"/>
    public PromptEnd PromptEnd { get; init; }

    /// <inheritdoc cref="ParsedRow.HadRepeatedPrompt"/>
    public bool HadRepeatedPrompt { get; init; }

    /// <summary>A row of one list.</summary>
    public static RowReading Of(Func<RankedList> list) => new() { Lists = () => [list()] };

    /// <summary>A row of any number of lists: one without answers to compare has none.</summary>
    public static RowReading OfMany(Func<IEnumerable<RankedList>> lists) => new() { Lists = lists };

    /// <summary>A row of one answer with a score, which is compared with those of other rows that have the same prompt.</summary>
    public static RowReading OfAnswer(Func<RankedList> answer) => Of(answer) with { IsPart = true };
}
