using Microsoft.Extensions.Logging;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Tokenizers;

namespace RewardModel.Training.Data;

/// <summary>Logs everything about data that were read: what is left out, ignored, replaced, found or cut.</summary>
internal static class DataLog
{
    /// <summary>Logs what there is to tell.</summary>
    /// <param name="notes">What was counted.</param>
    /// <param name="maxLength">The length that lists were cut to.</param>
    /// <param name="logger">Told of it.</param>
    public static void Log(DataNotes notes, int maxLength, ILogger logger)
    {
        LogRows(notes, logger);
        LogLeftOut(notes.Rejected, logger);
        if (notes.Rejected.Count > 0)
            logger.LogWarning(
                "{Name}: {Bad} rejected by the tokenizer or its chat template skipped, {Good} left",
                notes.Name, Counted.Of(notes.Rejected.Count, NounOf(notes.Rejected)), Counted.Of(notes.ReadCount - notes.Rejected.Count, "list"));
        LogCut(notes.Cut, notes.Name, maxLength, logger);
    }

    /// <summary>Logs what there is to tell of rows, before a tokenizer sees their lists.</summary>
    public static void LogRows(DataNotes notes, ILogger logger)
    {
        var name = notes.Name;
        foreach (var (layout, count) in notes.Layouts)
            logger.LogInformation(
                "{Name}: {Rows} read as {Title} (--layout {Layout})", name, Counted.Of(count, "row"),
                DataLayout.Known.FirstOrDefault(known => known.Name == layout)?.Title ?? layout, layout);
        LogLeftOut(notes.BadLines, logger);
        if (notes.BadLines.Count > 0)
            logger.LogWarning(
                "{Name}: {Bad} skipped, {Good} read", name, Counted.Of(notes.BadLines.Count, NounOf(notes.BadLines)), Counted.Of(notes.ReadCount, "list"));
        foreach (var (key, count) in notes.IgnoredKeys)
            logger.LogWarning("{Name}: unknown key '{Key}' in {Lines}: ignored", name, key, Counted.Of(count, "line"));
        if (notes.LoneSurrogateCount > 0)
            logger.LogWarning("{Name}: {Surrogates} replaced by U+FFFD", name, Counted.Of(notes.LoneSurrogateCount, "unpaired surrogate"));
        if (notes.RepeatedPromptCount > 0)
            logger.LogInformation(
                "{Name}: answers of {Rows} start with their whole prompt: it is taken off them", name, Counted.Of(notes.RepeatedPromptCount, "row"));
        if (notes.LeftOutAnswerCount > 0)
            logger.LogInformation(
                "{Name}: {Answers} without a score or a rank, or deleted: left out", name, Counted.Of(notes.LeftOutAnswerCount, "answer"));
        string[] rules =
        [
            .. notes.FoundTurnCount > 0 ? [$"the last turn such as Assistant: (in {Counted.Of(notes.FoundTurnCount, "list")})"] : (string[])[],
            .. notes.FoundWordCount > 0 ? [$"the last whole word (in {Counted.Of(notes.FoundWordCount, "list")})"] : (string[])[],
        ];
        if (rules.Length > 0)
            logger.LogInformation(
                "{Name}: no \"prompt\" in {Lists}: it is taken to be what \"chosen\" and \"rejected\" both start with, up to {Rules}",
                name, Counted.Of(notes.FoundTurnCount + notes.FoundWordCount, "list"), string.Join(" or ", rules));
    }

    // A table has no lines.
    private static string NounOf(IReadOnlyList<BadLine> lines) => lines.All(line => line.Source.IsRow) ? "row" : "line";

    /// <summary>Names every line that is left out.</summary>
    public static void LogLeftOut(IEnumerable<BadLine> lines, ILogger logger)
    {
        foreach (var line in lines)
            logger.LogWarning("{BadLine}: skipped", line);
    }

    /// <summary>Logs how much was cut to the model's maximum length, if anything was.</summary>
    public static void LogCut(TruncationCount cut, string name, int maxLength, ILogger logger)
    {
        if (cut.IsCut)
            logger.LogWarning(
                "{Name}: truncated to {MaxLength} tokens for a prompt and an answer together (--max-length): {Cut}", name, maxLength, Text(cut));
    }

    /// <exception cref="RankedDataException">There is no list, or none that the tokenizer accepts.</exception>
    public static void CheckAnyIsLeft(string name, int readCount, int rejectedCount)
    {
        if (readCount == 0)
            throw new RankedDataException(
                $"{DataPath.Quoted(name)} has no valid lists; expected at least one line with a ranked list.");
        if (rejectedCount == readCount)
            throw new RankedDataException(
                $"{name}: the tokenizer or its chat template rejects every list ({rejectedCount}); expected at least one that it accepts.");
    }

    /// <summary>What a list that the tokenizer or its chat template rejects is told by.</summary>
    /// <exception cref="TokenizerException">The list is of no file.</exception>
    public static BadLine BadLineOf(RankedList list, TokenizerException rejection) =>
        list.Source.Line > 0 ? new BadLine(list.Source, string.Join("; ", rejection.Problems)) : throw rejection;

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
}
