using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>
/// What a check of ranked lists found, before anything is trained. Figures that the data don't have (of text, of tokens) are null.
/// </summary>
public sealed record DataReport
{
    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>All lists.</summary>
    public required int ListCount { get; init; }

    /// <summary>Their answers.</summary>
    public required long AnswerCount { get; init; }

    /// <summary>Different prompts.</summary>
    public required int PromptCount { get; init; }

    /// <summary>Lists by how many answers they have.</summary>
    public required IReadOnlyDictionary<int, int> ListsByAnswerCount { get; init; }

    /// <summary>Pairs of answers with different scores that are not equal: what a ranking loss learns from.</summary>
    public required long PairCount { get; init; }

    /// <summary>Pairs with equal scores, of all pairs.</summary>
    public required DataCount TiedPairs { get; init; }

    /// <summary>Lists without a pair to learn from.</summary>
    public required DataCount ListsWithoutPairs { get; init; }

    /// <summary>Lists that have a margin.</summary>
    public required DataCount Margins { get; init; }

    /// <summary>Lists whose weight is not 1.</summary>
    public required DataCount Weights { get; init; }

    /// <summary>Lists that belong to a group.</summary>
    public required DataCount Groups { get; init; }

    /// <summary>Lists of the largest groups, at most twenty.</summary>
    public required IReadOnlyDictionary<string, int> ListsByGroup { get; init; }

    /// <summary>Lengths of prompts in characters, one a list.</summary>
    public required DataLengths? PromptCharacters { get; init; }

    /// <summary>Lengths of answers in characters.</summary>
    public required DataLengths? AnswerCharacters { get; init; }

    /// <summary>Lengths of whole prompts in tokens, before they are cut, one a list.</summary>
    public required DataLengths? PromptTokens { get; init; }

    /// <summary>Lengths of answers in tokens, after they were cut.</summary>
    public required DataLengths? AnswerTokens { get; init; }

    /// <summary>Prompts and answers that lose tokens at the maximum length; null without a tokenizer.</summary>
    public required TruncationCount? Truncation { get; init; }

    /// <summary>Lists in which something is cut.</summary>
    public required DataCount? CutLists { get; init; }

    /// <summary>Lists with answers that are the same text and have different scores.</summary>
    public required DataCount? IdenticalTexts { get; init; }

    /// <summary>Lists with answers that are read as the same tokens, after the cut and the chat template, and have different scores.</summary>
    public required DataCount? IdenticalTokens { get; init; }

    /// <summary>Lists that have either.</summary>
    public required DataCount IdenticalAnswers { get; init; }

    /// <summary>Pairs of answers to one prompt that lists put in both orders, of those that more than one list compares.</summary>
    public required DataCount Contradictions { get; init; }

    /// <summary>
    /// Answers to one prompt of which A is better than B, B than C and C than A, of those that are in more than one of its lists; without
    /// contradictory pairs.
    /// </summary>
    public required DataCount Cycles { get; init; }

    /// <summary>Lists that are the same as one before them, with the same scores.</summary>
    public required DataCount DuplicateLists { get; init; }

    /// <summary>Lists whose prompt another list has too; where all lists have the same prompt, whose answers another has.</summary>
    public required DataCount SharedPrompts { get; init; }

    /// <summary>Lists whose prompt is nearly the same as another one: see docs/check-data.md. Null where it was not looked for.</summary>
    public required DataCount? NearDuplicates { get; init; }

    /// <summary>
    /// Lists of the largest cluster of prompts that are nearly the same, or the same: where it has many of all, the data are hard to split by
    /// clusters. Null where it was not looked for.
    /// </summary>
    public required int? LargestCluster { get; init; }

    /// <summary>The sides of the split; null where no list is held out.</summary>
    public required DataSplitReport? Split { get; init; }

    /// <summary>Answers that are empty or white space.</summary>
    public required DataCount? EmptyAnswers { get; init; }

    /// <summary>Answers of one token, beside special ones.</summary>
    public required DataCount? OneTokenAnswers { get; init; }

    /// <summary>Answers that begin with the whole prompt.</summary>
    public required DataCount? RepeatedPrompts { get; init; }

    /// <summary>Answers that are used under at least five prompts.</summary>
    public required DataCount Boilerplate { get; init; }

    /// <summary>Lists with UTF-8 that was read as Latin-1 or Windows-1252.</summary>
    public required DataCount? Mojibake { get; init; }

    /// <summary>Lists with U+FFFD.</summary>
    public required DataCount? ReplacementCharacters { get; init; }

    /// <summary>Lists with U+FEFF inside of texts.</summary>
    public required DataCount? ByteOrderMarks { get; init; }

    /// <summary>Lists with control characters other than tabs and line breaks.</summary>
    public required DataCount? ControlCharacters { get; init; }

    /// <summary>Lists with HTML entities.</summary>
    public required DataCount? HtmlEntities { get; init; }

    /// <summary>Lists whose texts spell out special tokens.</summary>
    public required DataCount? SpecialTokens { get; init; }

    /// <summary>Lists by the script that most of their letters are of.</summary>
    public required IReadOnlyDictionary<string, int>? ListsByScript { get; init; }

    /// <summary>Lists in Latin letters by language: a guess by little words, of six languages.</summary>
    public required IReadOnlyDictionary<string, int>? ListsByGuessedLanguage { get; init; }

    /// <summary>Lists with an answer in another script than its prompt.</summary>
    public required DataCount? MixedScripts { get; init; }

    /// <summary>Pairs in which the better answer has more characters.</summary>
    public required DataCount? LongerIsBetter { get; init; }

    /// <summary>Pairs in which the better answer has fewer characters.</summary>
    public required DataCount? ShorterIsBetter { get; init; }

    /// <summary>What a lazy model gets on the held-out lists; on all lists where none is held out.</summary>
    public required IReadOnlyList<LazyBaseline> Baselines { get; init; }

    /// <summary>What the user should know, the worst first.</summary>
    [JsonInclude]
    public IReadOnlyList<DataFinding> Findings { get; internal init; } = [];

    /// <summary>The lazy model that a reward model has to beat; null where none was measured.</summary>
    internal LazyBaseline? Floor => Baselines.MaxBy(baseline => baseline.Accuracy);

    /// <summary>Whether a finding has one of these ids, or one of these severities or a worse one.</summary>
    /// <param name="names">Ids of findings, and <c>note</c>, <c>warning</c> or <c>error</c>.</param>
    /// <exception cref="ArgumentException">A name is neither.</exception>
    public bool FailsOn(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        FindingId.Check(names);
        return Findings.Any(finding => names.Contains(finding.Id)
            || names.Any(name => FindingId.SeverityOf(name) is { } severity && finding.Severity >= severity));
    }

    /// <summary>The report as lines of at most a hundred columns.</summary>
    public string ToText() => ReportText.Of(this);

    /// <summary>The report as JSON, its members in snake_case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, jsonOptions);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static DataReport FromJson(string json) =>
        JsonSerializer.Deserialize<DataReport>(json, jsonOptions) ?? throw new JsonException("The text is null; expected a report.");

    /// <summary>A few sentences for the start of a run: warnings and errors, and what a reward model has to beat.</summary>
    public IReadOnlyList<string> Summary() =>
    [
        .. Findings.Where(finding => finding.Severity >= FindingSeverity.Warning).Select(finding => finding.Sentence),
        .. Floor is null ? [] : (string[])[ReportText.Advice(this)],
    ];
}
