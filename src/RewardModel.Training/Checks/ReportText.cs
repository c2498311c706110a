using System.Text;
using RewardModel.Lists;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Checks;

/// <summary>A report for the eye: a figure a line, then the lazy models, then the findings.</summary>
internal static class ReportText
{
    private const int labelWidth = 26;
    private const int lineWidth = 100;

    public static string Of(DataReport report)
    {
        var text = new StringBuilder();
        foreach (var (label, value) in Figures(report))
            if (value is not null)
                AppendWrapped(text, label.PadRight(labelWidth), value);
        if (report.Baselines.Count > 0)
        {
            text.Append(Invariant($"\nWhat a lazy model gets on {(report.Split is null ? "all" : "the held-out")} lists\n"));
            foreach (var baseline in report.Baselines)
                text.Append(Invariant($"{"  " + baseline.Name,-labelWidth}{Accuracy(baseline)} of {Counted.Of(baseline.PairCount, "pair")}\n"));
            AppendWrapped(text, "", Advice(report));
        }
        text.Append(report.Findings.Count == 0 ? "\nNothing was found.\n" : "\nFindings\n");
        foreach (var finding in report.Findings)
        {
            var name = $"  {finding.Severity.ToString().ToLowerInvariant(),-7} {finding.Id}";
            text.Append(name).Append('\n');
            AppendWrapped(text, new string(' ', 10), finding.Sentence);
            AppendWrapped(text, new string(' ', 10), Places(finding.Examples));
        }
        return text.ToString();
    }

    /// <summary>What a reward model has to beat.</summary>
    public static string Advice(DataReport report) =>
        $"A reward model has to beat {Accuracy(report.Floor!)}, which {BaselineName.InWords(report.Floor!.Name)} gets"
        + (report.Split is null ? " on all lists." : ".");

    /// <summary>Never 0 for something, nor 100 for less than all.</summary>
    public static string Percent(double share) =>
        Invariant($"{(share is > 0 and < 1 ? Math.Clamp(100 * share, 0.1, 99.9) : 100 * share):0.#} %");

    /// <summary>The figures with their names; null for those that the data don't have.</summary>
    public static IEnumerable<(string Label, string? Value)> Figures(DataReport report) =>
    [
        ("lists", $"{report.ListCount}, of {Counted.Of(report.PromptCount, "prompt")}"),
        ("answers", $"{report.AnswerCount}"),
        ("answers of a list", Counts(report.ListsByAnswerCount.Select(pair => ($"{pair.Key}", pair.Value)))),
        ("pairs", $"{report.PairCount}"),
        ("tied pairs", Text(report.TiedPairs)),
        ("lists without a pair", Text(report.ListsWithoutPairs)),
        ("with margin", Some(report.Margins)),
        ("with weight", Some(report.Weights)),
        ("with group", Some(report.Groups)),
        ("largest groups", report.ListsByGroup.Count == 0 ? null : Counts(report.ListsByGroup.Select(pair => (pair.Key, pair.Value)))),
        ("characters of a prompt", Text(report.PromptCharacters)),
        ("characters of an answer", Text(report.AnswerCharacters)),
        ("tokens of a prompt", Text(report.PromptTokens)),
        ("tokens of an answer", Text(report.AnswerTokens)),
        ("cut prompts", Text(report.Truncation?.Prompts)),
        ("cut answers", Text(report.Truncation?.Answers)),
        ("identical texts", Some(report.IdenticalTexts)),
        ("identical tokens", Some(report.IdenticalTokens)),
        ("contradictory pairs", report.Contradictions.Of == 0 ? null : Text(report.Contradictions)),
        ("answers in circles", report.Cycles.Of == 0 ? null : Text(report.Cycles)),
        ("duplicate lists", Text(report.DuplicateLists)),
        (report.PromptCount == 1 ? "answers of other lists" : "prompts of other lists", Text(report.SharedPrompts)),
        ("near duplicates", Text(report.NearDuplicates)),
        ("largest cluster of them", report.LargestCluster is > 1 and var largest ? $"{largest}" : null),
        ("to train on, held out", report.Split is null ? null : $"{report.Split.TrainListCount}, {report.Split.HeldOutListCount}"),
        ("held out and trained on", Text(report.Split?.Leak)),
        ("but for space and case", Text(report.Split?.LeakButForSpaceAndCase)),
        ("nearly", Text(report.Split?.NearLeak)),
        ("empty answers", Some(report.EmptyAnswers)),
        ("answers of one token", Some(report.OneTokenAnswers)),
        ("answers with prompt", Some(report.RepeatedPrompts)),
        ("answers of many prompts", Some(report.Boilerplate)),
        ("script", report.ListsByScript is null ? null : Counts(report.ListsByScript.Select(pair => (pair.Key, pair.Value)))),
        ("language, guessed",
            report.ListsByGuessedLanguage is null or { Count: 0 }
                ? null
                : Counts(report.ListsByGuessedLanguage.Select(pair => (pair.Key, pair.Value)))),
        ("better answer is longer", Text(report.LongerIsBetter)),
        ("better answer is shorter", Text(report.ShorterIsBetter)),
    ];

    private static string Accuracy(LazyBaseline baseline) =>
        Invariant($"{baseline.Accuracy:0.000} ({baseline.AccuracyLow:0.000} to {baseline.AccuracyHigh:0.000})");

    private static string? Some(DataCount? count) => count is null or { Count: 0 } ? null : Text(count);

    private static string? Text(DataCount? count) => count is null ? null : $"{count.Count} of {count.Of} ({Percent(count.Share)})";

    private static string? Text(DataLengths? lengths) => lengths is null
        ? null
        : $"50 %: {lengths.Median}, 90 %: {lengths.Percentile90}, 99 %: {lengths.Percentile99}, longest: {lengths.Longest}";

    private static string? Text(CutCount? cut) => cut is not { } count
        ? null
        : $"{count.Cut} of {count.All} ({Percent(count.CutShare)}), {Percent(count.LostTokenShare)} of their tokens";

    /// <summary>Lines of files, <c>train.jsonl:3, 17</c>, or rows of tables, <c>train.csv, row 3, 17</c>.</summary>
    public static string Places(IEnumerable<SourceLine> sources) => string.Join("; ", sources
        .GroupBy(source => source.File)
        .Select(file => file.Any(source => source.Line == 0)
            ? file.First().ToString()
            : $"{file.Key}{(file.First().IsRow ? ", row " : ":")}{string.Join(", ", file.Select(source => source.Line))}"));

    private static string Counts(IEnumerable<(string Name, int Count)> counts) =>
        string.Join(", ", counts.Select(count => $"{count.Name}: {count.Count}"));

    /// <summary>Words after an indent, and further lines below the first word.</summary>
    private static void AppendWrapped(StringBuilder text, string indent, string words)
    {
        text.Append(indent);
        var column = indent.Length;
        foreach (var word in words.Split(' '))
        {
            if (column > indent.Length && column + 1 + word.Length > lineWidth)
            {
                text.Append('\n').Append(' ', indent.Length);
                column = indent.Length;
            }
            if (column > indent.Length)
            {
                text.Append(' ');
                column++;
            }
            text.Append(word);
            column += word.Length;
        }
        text.Append('\n');
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
