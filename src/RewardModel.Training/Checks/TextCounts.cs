using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>What the texts of lists have; everything is null where no list has text.</summary>
/// <param name="specialTokens">Of the tokenizer.</param>
internal sealed class TextCounts(IEnumerable<string> specialTokens)
{
    /// <summary>A prompt of a few words can begin an answer by chance, or as its title.</summary>
    private const int fewestCharactersRepeated = 16;

    private readonly SpecialTokenSearch search = new(specialTokens);
    private readonly LengthCounts promptCharacters = new(), answerCharacters = new();
    private readonly NamedCounts byScript = new(), byLanguage = new();
    private readonly Tally empty = new(), repeatedPrompts = new(), special = new(), mixedScripts = new();
    private readonly Tally mojibake = new(), replacements = new(), byteOrderMarks = new(), controls = new(), entities = new();
    private int listCount;
    private long answerCount;

    public DataLengths? PromptCharacters => promptCharacters.Percentiles();

    public DataLengths? AnswerCharacters => answerCharacters.Percentiles();

    public DataCount? EmptyAnswers => OfAnswers(empty);

    public DataCount? RepeatedPrompts => OfAnswers(repeatedPrompts);

    public DataCount? Mojibake => OfLists(mojibake);

    public DataCount? ReplacementCharacters => OfLists(replacements);

    public DataCount? ByteOrderMarks => OfLists(byteOrderMarks);

    public DataCount? ControlCharacters => OfLists(controls);

    public DataCount? HtmlEntities => OfLists(entities);

    public DataCount? SpecialTokens => OfLists(special);

    public DataCount? MixedScripts => OfLists(mixedScripts);

    public IReadOnlyDictionary<string, int>? ListsByScript => listCount > 0 ? byScript.Largest() : null;

    public IReadOnlyDictionary<string, int>? ListsByGuessedLanguage => listCount > 0 ? byLanguage.Largest() : null;

    /// <summary>Adds a list.</summary>
    /// <param name="list">Text, not messages.</param>
    /// <param name="answers">What its answers' characters tell.</param>
    public void Add(RankedList list, IReadOnlyList<TextScan> answers)
    {
        listCount++;
        answerCount += answers.Count;
        promptCharacters.Add(list.Prompt.Length);
        var prompt = TextScan.Of(list.Prompt);
        var start = list.Prompt.AsSpan().Trim();
        var (flaws, letters, hasSpecial, isMixed) = (prompt.Flaws, prompt.Letters, search.IsIn(list.Prompt), false);
        for (var i = 0; i < answers.Count; i++)
        {
            var answer = list.Answers[i];
            answerCharacters.Add(answer.Length);
            empty.AddIf(string.IsNullOrWhiteSpace(answer), list.Source);
            repeatedPrompts.AddIf(
                start.Length >= fewestCharactersRepeated && answer.AsSpan().TrimStart().StartsWith(start, StringComparison.Ordinal),
                list.Source);
            flaws |= answers[i].Flaws;
            letters.Add(answers[i].Letters);
            hasSpecial |= search.IsIn(answer);
            isMixed |= prompt.Letters.DiffersFrom(answers[i].Letters);
        }
        mojibake.AddIf(flaws.HasFlag(TextFlaws.Mojibake), list.Source);
        replacements.AddIf(flaws.HasFlag(TextFlaws.ReplacementCharacter), list.Source);
        byteOrderMarks.AddIf(flaws.HasFlag(TextFlaws.ByteOrderMark), list.Source);
        controls.AddIf(flaws.HasFlag(TextFlaws.ControlCharacter), list.Source);
        entities.AddIf(flaws.HasFlag(TextFlaws.HtmlEntity), list.Source);
        special.AddIf(hasSpecial, list.Source);
        mixedScripts.AddIf(isMixed, list.Source);
        byScript.Add(letters.Main.ToString().ToLowerInvariant());
        if (letters.Main == Script.Latin)
            byLanguage.Add(LanguageGuess.Of(list) ?? "unknown");
    }

    private DataCount? OfLists(Tally tally) => listCount > 0 ? tally.Of(listCount) : null;

    private DataCount? OfAnswers(Tally tally) => listCount > 0 ? tally.Of(answerCount) : null;
}
