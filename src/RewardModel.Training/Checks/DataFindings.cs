using System.Globalization;
using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>What of a report the user should know, in sentences that say what to do.</summary>
internal static class DataFindings
{
    /// <summary>From this share on, what is found here and there becomes a warning.</summary>
    private const double manyShare = 0.01;

    /// <summary>The share of pairs with the longer answer as the better one, or the shorter one, that a model learns before all else.</summary>
    private const double lengthShare = 0.6;

    /// <summary>Fewer pairs than these say nothing about lengths.</summary>
    private const int fewestPairs = 30;

    public static IReadOnlyList<DataFinding> Of(DataReport report)
    {
        var split = report.Split;
        var (prompt, one) = report.PromptCount == 1 ? ("answers", "those of a list") : ("a prompt", "one");
        var another = report.PromptCount == 1 ? "those of another list" : "another list's";
        DataFinding?[] found =
        [
            Found(FindingId.Leak, split?.Leak, FindingSeverity.Error,
                of => $"{Some(of, "held-out lists")} {Have(of)} the prompt{Answers(report)} of a list that is trained on: "
                    + "their accuracy says nothing of new prompts. Divide the data by prompt."),
            Found(FindingId.NearLeak, split?.NearLeak, FindingSeverity.Warning,
                of => $"{Some(of, "held-out lists")} {Have(of)} {prompt} nearly equal to {one} that is trained on: their "
                    + "accuracy flatters the model. Divide the data by clusters of near duplicates."),
            Found(FindingId.NoPairs, report.ListsWithoutPairs,
                report.ListsWithoutPairs.Share == 1 ? FindingSeverity.Error : Many(report.ListsWithoutPairs),
                of => $"{Some(of, "lists")} {Have(of)} no pair of different answers with different scores: a ranking loss "
                    + "learns nothing from them. Leave them out, or look at how they were scored."),
            Found(FindingId.IdenticalAnswers, report.IdenticalAnswers, Many(report.IdenticalAnswers),
                of => $"{Some(of, "lists")} {Have(of)} answers with different scores that are the same{AfterCut(report)}: "
                    + "no model can tell them apart. Keep one of them."),
            Found(FindingId.Contradictions, report.Contradictions, FindingSeverity.Warning,
                of => $"{Some(of, "pairs")} that several lists of a prompt compare {Are(of)} in both orders. "
                    + "Keep what most annotators say, or give such lists a lower weight."),
            Found(FindingId.Cycles, report.Cycles, FindingSeverity.Warning,
                of => $"{Some(of, "answers")} that several lists of a prompt have {Are(of)} in a circle: A is better than "
                    + "B, B than C, and C than A. Make one list of each prompt's lists, by votes."),
            Found(FindingId.Duplicates, report.DuplicateLists, Many(report.DuplicateLists),
                of => $"{Some(of, "lists")} {Are(of)} the same as one before them: they count twice in training. Remove them."),
            Found(FindingId.NearDuplicates, report.NearDuplicates, FindingSeverity.Note,
                of => $"{Some(of, "lists")} {Have(of)} {prompt} nearly equal to {another}. The largest cluster has "
                    + $"{Counted.Of(report.LargestCluster!.Value, "list")}. Keep clusters on one side of the split."),
            Found(FindingId.Cut, report.CutLists, Many(report.CutLists),
                of => $"{Some(of, "lists")} {Are(of)} cut at the maximum length, which takes {Percent(LostShare(report))} "
                    + "of all tokens. Raise the maximum length, or shorten what is long."),
            Found(FindingId.EmptyAnswers, report.EmptyAnswers, Many(report.EmptyAnswers),
                of => $"{Some(of, "answers")} {Are(of)} empty or white space: a model learns that saying nothing is bad, "
                    + "or good. Remove them."),
            Found(FindingId.OneTokenAnswers, report.OneTokenAnswers, FindingSeverity.Note,
                of => $"{Some(of, "answers")} {Have(of)} a single token. See that nothing was lost."),
            Found(FindingId.PromptRepeated, report.RepeatedPrompts, Many(report.RepeatedPrompts),
                of => $"{Some(of, "answers")} {Counted.Verb(of.Count, "begins", "begin")} with their whole prompt, which "
                    + "the model reads twice. Cut it off, if it isn't part of the answer."),
            Found(FindingId.Boilerplate, report.Boilerplate, FindingSeverity.Note,
                of => $"{Some(of, "answers")} {Are(of)} used under five prompts or more: a model can learn them by heart. "
                    + "See that they are meant, as refusals may be."),
            Found(FindingId.Mojibake, report.Mojibake, Many(report.Mojibake),
                of => $"{Some(of, "lists")} {Have(of)} UTF-8 that was read as Latin-1 or Windows-1252 (such as "
                    + "\u00c3\u00a9 for \u00e9). Read their source as UTF-8."),
            Found(FindingId.ReplacementCharacters, report.ReplacementCharacters, Many(report.ReplacementCharacters),
                of => $"{Some(of, "lists")} {Have(of)} U+FFFD, where a character was lost. Convert their source again, "
                    + "from its own encoding."),
            Found(FindingId.ByteOrderMarks, report.ByteOrderMarks, Many(report.ByteOrderMarks),
                of => $"{Some(of, "lists")} {Have(of)} U+FEFF (a byte order mark) in a text, which nobody sees and a "
                    + "tokenizer does. Remove it."),
            Found(FindingId.ControlCharacters, report.ControlCharacters, Many(report.ControlCharacters),
                of => $"{Some(of, "lists")} {Have(of)} control characters other than tabs and line breaks. Remove them."),
            Found(FindingId.HtmlEntities, report.HtmlEntities, Many(report.HtmlEntities),
                of => $"{Some(of, "lists")} {Have(of)} HTML entities (such as &amp; or &#39;). Decode them, unless the "
                    + "data are about HTML."),
            Found(FindingId.SpecialTokens, report.SpecialTokens, Many(report.SpecialTokens),
                of => $"{Some(of, "lists")} {Counted.Verb(of.Count, "spells", "spell")} out special tokens (such as "
                    + "<|im_end|> or </s>), which are read as plain text. Remove what a template left."),
            Found(FindingId.MixedScripts, report.MixedScripts, FindingSeverity.Note,
                of => $"{Some(of, "lists")} {Have(of)} an answer in another script than its prompt. See that they are "
                    + "translations, or meant."),
            Length(FindingId.LongerWins, report.LongerIsBetter, "longer"),
            Length(FindingId.ShorterWins, report.ShorterIsBetter, "shorter"),
        ];
        return [.. found.OfType<DataFinding>().OrderByDescending(finding => finding.Severity)];
    }

    private static DataFinding? Found(string id, DataCount? count, FindingSeverity severity, Func<DataCount, string> sentence) =>
        count is null or { Count: 0 }
            ? null
            : new DataFinding(id, severity, count.Count, count.Share, sentence(count), count.Examples);

    private static DataFinding? Length(string id, DataCount? count, string which) =>
        count is { Of: >= fewestPairs, Share: >= lengthShare }
            ? Found(id, count, FindingSeverity.Warning,
                of => $"{Some(of, "pairs")} {Have(of)} the {which} answer as the better one: a model learns lengths first. "
                    + "Compare its accuracy with that, and on pairs of equal lengths.")
            : null;

    private static FindingSeverity Many(DataCount? count) =>
        count?.Share >= manyShare ? FindingSeverity.Warning : FindingSeverity.Note;

    private static string Answers(DataReport report) => report.PromptCount == 1 ? " and the answers" : "";

    private static string AfterCut(DataReport report) =>
        report.IdenticalTexts is { } texts && report.IdenticalAnswers.Count - texts.Count is > 0 and var others
            ? $" ({others} only after the cut or the chat template)"
            : "";

    private static double LostShare(DataReport report) => report.Truncation is { } cut
        ? (double)(cut.Prompts.LostTokens + cut.Answers.LostTokens) / Math.Max(1, cut.Prompts.AllTokens + cut.Answers.AllTokens)
        : 0;

    private static string Have(DataCount of) => Counted.Verb(of.Count, "has", "have");

    private static string Are(DataCount of) => Counted.Verb(of.Count, "is", "are");

    private static string Some(DataCount count, string of) => string.Create(
        CultureInfo.InvariantCulture, $"{count.Count} of {count.Of} {of} ({Percent(count.Share)})");

    private static string Percent(double share) => ReportText.Percent(share);
}
