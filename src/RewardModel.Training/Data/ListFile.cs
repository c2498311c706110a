using Microsoft.Extensions.Logging;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Training.Data;

/// <summary>Reads ranked lists for a model, and logs everything that is left out or cut.</summary>
internal static class ListFile
{
    /// <summary>Reads a file; - is standard input. Where its answers are to be scored only, it may hold single ones.</summary>
    public static RankedListFile Read(string path, BadData onBadData, ILogger logger, bool areToScore = false)
    {
        var file = RankedListReader.Read(path, onBadData, areToScore);
        var listCount = file.Lists.Count + file.TokenizedLists.Count;
        Log(file, listCount, path, logger);
        CheckAnyIsLeft(listCount, path);
        return file;
    }

    /// <summary>Logs what was left out, ignored, replaced or found in a file.</summary>
    public static void Log(RankedListFile file, int listCount, string path, ILogger logger)
    {
        var name = DataPath.NameOf(path);
        LogLeftOut(file.BadLines, logger);
        if (file.BadLines.Count > 0)
            logger.LogWarning(
                "{Path}: {Bad} skipped, {Good} read", name, Counted.Of(file.BadLines.Count, "line"), Counted.Of(listCount, "list"));
        foreach (var (key, count) in file.IgnoredKeys)
            logger.LogWarning(
                "{Path}: unknown key '{Key}' in {Lines}: ignored", name, key, Counted.Of(count, "line"));
        if (file.LoneSurrogateCount > 0)
            logger.LogWarning(
                "{Path}: {Surrogates} replaced by U+FFFD", name, Counted.Of(file.LoneSurrogateCount, "unpaired surrogate"));
        int turns = file.FoundPrompts.GetValueOrDefault(PromptEnd.Turn), words = file.FoundPrompts.GetValueOrDefault(PromptEnd.Word);
        string[] rules =
        [
            .. turns > 0 ? [$"the last turn such as Assistant: (in {Counted.Of(turns, "list")})"] : (string[])[],
            .. words > 0 ? [$"the last whole word (in {Counted.Of(words, "list")})"] : (string[])[],
        ];
        if (rules.Length > 0)
            logger.LogInformation(
                "{Path}: no \"prompt\" in {Lists}: it is taken to be what \"chosen\" and \"rejected\" both start with, up to {Rules}",
                name, Counted.Of(turns + words, "list"), string.Join(" or ", rules));
    }

    /// <summary>Names every line that is left out.</summary>
    public static void LogLeftOut(IEnumerable<BadLine> lines, ILogger logger)
    {
        foreach (var line in lines)
            logger.LogWarning("{BadLine}: skipped", line);
    }

    /// <exception cref="RankedDataException">There is no list.</exception>
    public static void CheckAnyIsLeft(int listCount, string path)
    {
        if (listCount == 0)
            throw new RankedDataException(
                $"{DataPath.Quoted(path)} has no valid lists; expected at least one line with a ranked list.");
    }

    /// <summary>The lists of one file as token ids, as those of several are.</summary>
    public static IReadOnlyList<TokenizedList> Tokenize(
        ScoringModel model, RankedListFile file, string name, BadData onBadData, ILogger logger) =>
        Tokenize(model, [(file, name)], onBadData, logger)[0];

    /// <summary>The lists of files as token ids, cut to the model's maximum length.</summary>
    /// <param name="model">Its tokenizer is used.</param>
    /// <param name="files">Lists of text or of token ids, and what to call them in the log.</param>
    /// <param name="onBadData">What to do with lists that the tokenizer or its chat template rejects.</param>
    /// <param name="logger">Told how many were cut, and which are left out.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellation">Ends the work before the next list.</param>
    /// <exception cref="RankedDataException">Lists are rejected: those of all files are named. Or none is left.</exception>
    public static IReadOnlyList<TokenizedList>[] Tokenize(
        ScoringModel model, IReadOnlyList<(RankedListFile File, string Name)> files, BadData onBadData, ILogger logger,
        IProgress<ListProgress>? progress = null, CancellationToken cancellation = default)
    {
        var tokenized = files.Select(file => Tokenize(model, file.File, progress, cancellation)).ToArray();
        if (onBadData == BadData.Error && tokenized.SelectMany(lists => lists.Rejected).ToArray() is { Length: > 0 } rejected)
            throw RankedDataException.Of(rejected);
        foreach (var ((_, name), (lists, cut, leftOut)) in files.Zip(tokenized))
        {
            LogLeftOut(leftOut, logger);
            if (leftOut.Count > 0)
                logger.LogWarning(
                    "{Name}: {Bad} rejected by the tokenizer or its chat template skipped, {Good} left",
                    name, Counted.Of(leftOut.Count, "line"), Counted.Of(lists.Count, "list"));
            if (leftOut.Count > 0 && lists.Count == 0)
                throw new RankedDataException(
                    $"{name}: the tokenizer or its chat template rejects every list ({leftOut.Count}); expected at least one that it accepts.");
            LogCut(cut, name, model, logger);
        }
        return [.. tokenized.Select(lists => lists.Lists)];
    }

    /// <summary>Logs how much was cut to the model's maximum length, if anything was.</summary>
    public static void LogCut(TruncationCount cut, string name, ScoringModel model, ILogger logger)
    {
        if (cut.IsCut)
            logger.LogWarning(
                "{Name}: truncated to {MaxLength} tokens for a prompt and an answer together (--max-length): {Cut}",
                name, model.Rule.MaxLength, Text(cut));
    }

    /// <summary>What a list that the tokenizer or its chat template rejects is told by.</summary>
    /// <exception cref="TokenizerException">The list is of no file.</exception>
    public static BadLine BadLineOf(RankedList list, TokenizerException rejection) =>
        list.Source.Line > 0 ? new BadLine(list.Source, string.Join("; ", rejection.Problems)) : throw rejection;

    private static (IReadOnlyList<TokenizedList> Lists, TruncationCount Cut, IReadOnlyList<BadLine> Rejected) Tokenize(
        ScoringModel model, RankedListFile file, IProgress<ListProgress>? progress, CancellationToken cancellation)
    {
        if (file.Lists.Count == 0)
        {
            var (ids, idsCut) = model.Truncate(file.TokenizedLists);
            return (ids, idsCut, []);
        }
        var results = model.TryTokenize(file.Lists, progress, cancellation);
        return (
            [.. results.Select(result => result.List).OfType<TokenizedList>()],
            results.Aggregate(default(TruncationCount), (sum, result) => sum + result.Cut),
            [
                .. file.Lists.Zip(results)
                    .Where(pair => pair.Second.Rejection is not null)
                    .Select(pair => BadLineOf(pair.First, pair.Second.Rejection!)),
            ]);
    }

    private static string Text(TruncationCount cut) => string.Join("; ",
    [
        .. cut.Prompts.Cut > 0 ? [Text(cut.Prompts, "prompt", "beginning")] : (string[])[],
        .. cut.Answers.Cut > 0 ? [Text(cut.Answers, "answer", "end")] : (string[])[],
    ]);

    private static string Text(CutCount count, string what, string side) =>
        $"{count.Cut} of {count.All} {what}s ({Percent(count.CutShare)}) {Counted.Verb(count.Cut, "loses its", "lose their")} {side}, "
        + $"{Percent(count.LostTokenShare)} of all {what} tokens";

    /// <summary>Never 0 for something, nor 100 for less than all.</summary>
    private static string Percent(double share) => FormattableString.Invariant(
        $"{(share is > 0 and < 1 ? Math.Clamp(100 * share, 0.1, 99.9) : 100 * share):0.#} %");

    /// <summary>The prompts of a file's lists, in a form to compare.</summary>
    public static IEnumerable<string> Prompts(RankedListFile file) =>
        file.Lists.Select(list => list.Prompt).Concat(file.TokenizedLists.Select(list => string.Join(' ', list.PromptIds)));

    /// <summary>Reads a file and turns it into token ids at once.</summary>
    public static IReadOnlyList<TokenizedList> ReadTokenized(
        ScoringModel model, string path, BadData onBadData, ILogger logger, bool areToScore = false) =>
        Tokenize(model, ToScore(model, Read(path, onBadData, logger, areToScore)), DataPath.NameOf(path), onBadData, logger);

    /// <summary>Plain text as the model takes it when it scores.</summary>
    public static RankedListFile ToScore(ScoringModel model, RankedListFile file) => file with { Lists = model.ToScore(file.Lists) };
}
