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

    /// <summary>The attributes of the answers of the one list that the row is; null where it has none.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, double>>? Attributes { get; init; }

    /// <inheritdoc cref="RankedList.IsUnscored"/>
    public bool IsUnscored { get; init; }

    /// <inheritdoc cref="ParsedRow.Whole"/>
    public WholeText? Whole { get; init; }

    /// <inheritdoc cref="ParsedRow.IsPart"/>
    public bool IsPart { get; init; }

    /// <inheritdoc cref="ParsedRow.IsSingle"/>
    public bool IsSingle { get; init; }

    /// <inheritdoc cref="ParsedRow.PromptEnd"/>
    public PromptEnd PromptEnd { get; init; }

    /// <inheritdoc cref="ParsedRow.HadRepeatedPrompt"/>
    public bool HadRepeatedPrompt { get; init; }

    /// <inheritdoc cref="ParsedRow.LeftOutAnswerCount"/>
    public int LeftOutAnswerCount { get; init; }

    /// <summary>A row of one list.</summary>
    public static RowReading Of(Func<RankedList> list) => new() { Lists = () => [list()] };

    /// <summary>A row of any number of lists: one without answers to compare has none.</summary>
    public static RowReading OfMany(Func<IEnumerable<RankedList>> lists) => new() { Lists = lists };

    /// <summary>A row of texts, of which those that repeat the prompt lose it. A system message or tools beside them are a problem.</summary>
    /// <param name="fields">The row.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="answers">The answers.</param>
    /// <param name="scores">A score each.</param>
    /// <param name="areOrder">Whether the scores say the order only.</param>
    public static RowReading OfTexts(RowFields fields, string prompt, string[] answers, double[] scores, bool areOrder)
    {
        fields.RejectSystem();
        fields.RejectTools();
        var (source, hadPrompt) = (fields.Source, RepeatedPrompt.TakeOff(prompt, answers));
        return Of(() => new RankedList(prompt, answers, scores, source) { ScoresAreOrder = areOrder }) with { HadRepeatedPrompt = hadPrompt };
    }

    /// <summary>The same of conversations.</summary>
    /// <inheritdoc cref="OfTexts"/>
    public static RowReading OfChat(RowFields fields, Conversation prompt, ChatMessage[][] answers, double[] scores, bool areOrder)
    {
        var (source, hadPrompt) = (fields.Source, RepeatedPrompt.TakeOff(prompt.Messages, answers));
        return Of(() => RankedList.OfChat(new RankedChat(prompt, answers), scores, source) with { ScoresAreOrder = areOrder })
            with
        { HadRepeatedPrompt = hadPrompt };
    }

    /// <summary>This row with lists that belong to a group, unless the caller names the column that says the group.</summary>
    public RowReading InGroup(string? group) =>
        Lists is null ? this : this with { Lists = () => Lists().Select(list => list with { Group = group }) };

    /// <summary>This row of one answer with a score, which is compared with those of other rows that have the same prompt.</summary>
    /// <param name="attributes">The answer's; null where it has none.</param>
    /// <param name="isUnscored">Whether it has attributes and nothing else.</param>
    public RowReading AsAnswer(IReadOnlyDictionary<string, double>? attributes = null, bool isUnscored = false) => this with
    {
        IsPart = true,
        IsSingle = true,
        IsUnscored = isUnscored,
        Attributes = attributes is null ? null : [attributes],
    };
}
