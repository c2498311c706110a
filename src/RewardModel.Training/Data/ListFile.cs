using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;

namespace RewardModel.Training.Data;

/// <summary>Reads ranked lists for a model, and logs everything that is left out or cut.</summary>
internal static class ListFile
{
    public static RankedListFile Read(string path, BadData onBadData, ILogger logger)
    {
        var file = RankedListReader.Read(path, onBadData);
        foreach (var line in file.BadLines)
            logger.LogWarning("{BadLine}: left out", line);
        if (file.BadLines.Count > 0)
            logger.LogWarning(
                "{Path}: {Bad} lines left out, {Good} lists read", path, file.BadLines.Count, file.Lists.Count + file.TokenizedLists.Count);
        foreach (var (key, count) in file.IgnoredKeys)
            logger.LogWarning("{Path}: {Count} lines have a key '{Key}', which has no meaning here and is ignored", path, count, key);
        if (file.LoneSurrogateCount > 0)
            logger.LogWarning("{Path}: {Count} lone surrogates, halves of characters, are read as U+FFFD", path, file.LoneSurrogateCount);
        if (file.Lists.Count + file.TokenizedLists.Count == 0)
            throw new RankedDataException($"'{path}' has no lists that can be used; expected at least one line with a ranked list.");
        return file;
    }

    /// <summary>The lists as token ids, cut to the model's maximum length.</summary>
    /// <param name="model">Its tokenizer is used.</param>
    /// <param name="file">Lists of text or of token ids.</param>
    /// <param name="name">What to call them in the log.</param>
    /// <param name="logger">Told how many were cut.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellation">Ends the work before the next list.</param>
    public static IReadOnlyList<TokenizedList> Tokenize(
        ScoringModel model, RankedListFile file, string name, ILogger logger, IProgress<ListProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var (lists, cut) = file.Lists.Count > 0
            ? model.Tokenize(file.Lists, progress, cancellation)
            : model.Truncate(file.TokenizedLists);
        if (cut.IsCut)
            logger.LogWarning(
                "{Name}: cut to {MaxLength} tokens for a prompt and an answer together (--max-length): {Cut}",
                name, model.Rule.MaxLength, Text(cut));
        return lists;
    }

    private static string Text(TruncationCount cut) => string.Join("; ",
    [
        .. cut.Prompts.Cut > 0 ? [Text(cut.Prompts, "prompt", "beginning")] : (string[])[],
        .. cut.Answers.Cut > 0 ? [Text(cut.Answers, "answer", "end")] : (string[])[],
    ]);

    private static string Text(CutCount count, string what, string side) =>
        $"{count.Cut} of {count.All} {what}s ({Percent(count.CutShare)}) lose their {side}, "
        + $"{Percent(count.LostTokenShare)} of all {what} tokens";

    /// <summary>Never 0 for something, nor 100 for less than all.</summary>
    private static string Percent(double share) => FormattableString.Invariant(
        $"{(share is > 0 and < 1 ? Math.Clamp(100 * share, 0.1, 99.9) : 100 * share):0.#} %");

    /// <summary>The prompts of a file's lists, in a form to compare.</summary>
    public static IEnumerable<string> Prompts(RankedListFile file) =>
        file.Lists.Select(list => list.Prompt).Concat(file.TokenizedLists.Select(list => string.Join(' ', list.PromptIds)));

    /// <summary>Reads a file and turns it into token ids at once.</summary>
    public static IReadOnlyList<TokenizedList> ReadTokenized(ScoringModel model, string path, BadData onBadData, ILogger logger) =>
        Tokenize(model, Read(path, onBadData, logger), path, logger);
}
