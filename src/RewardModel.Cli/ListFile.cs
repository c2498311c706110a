using Microsoft.Extensions.Logging;
using RewardModel.Ranking;
using RewardModel.Tokenization;
using RewardModel.Training.Data;

namespace RewardModel.Cli;

/// <summary>Reads ranked lists for a model, and logs everything that is left out or cut.</summary>
internal static class ListFile
{
    public static RankedListFile Read(string path, BadData onBadData, ILogger logger)
    {
        var file = RankedListReader.Read(path, onBadData);
        foreach (var line in file.BadLines)
            logger.LogWarning("{BadLine}: left out", line);
        foreach (var (key, count) in file.IgnoredKeys)
            logger.LogWarning("{Path}: {Count} lines have a key '{Key}', which has no meaning here and is ignored", path, count, key);
        return file;
    }

    /// <summary>The lists as token ids, cut to the model's maximum length.</summary>
    public static IReadOnlyList<TokenizedList> Tokenize(
        ScoringModel model, IReadOnlyList<RankedList> lists, IReadOnlyList<TokenizedList> tokenizedLists, string what, ILogger logger)
    {
        var (result, cut) = lists.Count > 0 ? model.Tokenize(lists) : model.Truncate(tokenizedLists);
        if (cut != default)
            logger.LogWarning(
                "{What}: cut to {MaxLength} tokens: {Prompts} prompts (on the left), {Answers} answers (on the right)",
                what, model.Rule.MaxLength, cut.PromptCount, cut.AnswerCount);
        return result;
    }

    /// <summary>Reads a file and turns it into token ids at once.</summary>
    public static IReadOnlyList<TokenizedList> ReadTokenized(ScoringModel model, string path, BadData onBadData, ILogger logger)
    {
        var file = Read(path, onBadData, logger);
        return Tokenize(model, file.Lists, file.TokenizedLists, path, logger);
    }
}
