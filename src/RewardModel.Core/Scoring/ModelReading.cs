using RewardModel.Files;

namespace RewardModel.Scoring;

/// <summary>Compares how models read text: those that are scored or averaged together see the same tokens.</summary>
internal static class ModelReading
{
    /// <summary>What differs in a model from another one, one sentence each without a full stop; normalisers may.</summary>
    public static IEnumerable<string> Differences(ScoringModel model, ScoringModel other)
    {
        var (rule, expected) = (model.Rule, other.Rule);
        if (rule.SpecialTokens != expected.SpecialTokens)
            yield return "the special tokens around prompt and answer are others";
        if (rule.MaxLength != expected.MaxLength)
            yield return $"the maximum length is {rule.MaxLength}; expected {expected.MaxLength}";
        if (rule.Encoding != expected.Encoding)
            yield return $"the encoding of prompt and answer is {rule.Encoding}; expected {expected.Encoding}";
        if (rule.ChatTemplate != expected.ChatTemplate)
            yield return "the chat template is another one";
        if (rule.TextIsChat != expected.TextIsChat)
            yield return $"plain text is {(rule.TextIsChat ? "" : "not ")}read as a conversation; expected that it is{(expected.TextIsChat ? "" : " not")}";
        var (files, expectedFiles) = (FilesOf(model), FilesOf(other));
        foreach (var name in files.Keys.Union(expectedFiles.Keys).Order(StringComparer.Ordinal))
            if (!files.TryGetValue(name, out var file))
                yield return $"the tokenizer has no {name}; expected it";
            else if (!expectedFiles.TryGetValue(name, out var expectedFile))
                yield return $"the tokenizer has a {name}; expected none";
            else if (!Content(file).AsSpan().SequenceEqual(Content(expectedFile)))
                yield return $"the tokenizer's {name} is another one";
    }

    private static byte[] Content(string file) => InputFile.ReadBytes(file, FileKind.Tokenizer);

    private static Dictionary<string, string> FilesOf(ScoringModel model) =>
        (model.Tokenizer?.Files ?? []).ToDictionary(file => Path.GetFileName(file));
}
