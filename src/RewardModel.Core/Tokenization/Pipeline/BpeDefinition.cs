using System.Text.Json;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>The "model" of a tokenizer.json.</summary>
/// <param name="Vocabulary">Every token of the model and its id.</param>
/// <param name="Merges">The merges, most important first, as two tokens with a space between.</param>
/// <param name="UnknownToken">What stands for a character that the vocabulary lacks; null drops such characters.</param>
/// <param name="FusesUnknown">Whether neighbouring unknown characters become one unknown token.</param>
/// <param name="HasByteFallback">Whether a character that the vocabulary lacks becomes its UTF-8 bytes.</param>
/// <param name="IgnoresMergesOfKnownWords">Whether a word that the vocabulary has is taken as it is.</param>
internal sealed record BpeDefinition(
    Dictionary<string, int> Vocabulary,
    IReadOnlyList<string> Merges,
    string? UnknownToken,
    bool FusesUnknown,
    bool HasByteFallback,
    bool IgnoresMergesOfKnownWords)
{
    /// <summary>Reads the model; null where there is none of a type that can be used. What is wrong is among the problems.</summary>
    public static BpeDefinition? Read(JsonComponent component)
    {
        // Files written before there were several types don't name it.
        var type = component.OptionalText("type") ?? (component.Has("merges") ? "BPE" : "");
        if (type != "BPE")
        {
            component.RejectType(type, "BPE");
            return null;
        }
        if (component.Member("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
            component.AddProblem($"'dropout' is {dropout.GetRawText()}, which is not supported; expected null");
        foreach (var name in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
            if (component.OptionalText(name) is { Length: > 0 } affix)
                component.AddProblem($"'{name}' is '{affix}', which is not supported; expected null");

        var vocabulary = ReadVocabulary(component);
        var merges = ReadMerges(component, vocabulary);
        var definition = new BpeDefinition(
            vocabulary,
            merges,
            component.OptionalText("unk_token"),
            component.OptionalFlag("fuse_unk") ?? false,
            component.OptionalFlag("byte_fallback") ?? false,
            component.OptionalFlag("ignore_merges") ?? false);
        component.RejectUnread();
        definition.CheckTokens(component);
        return definition;
    }

    private static Dictionary<string, int> ReadVocabulary(JsonComponent component)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        if (component.Member("vocab") is not { ValueKind: JsonValueKind.Object } members || !members.EnumerateObject().Any())
        {
            component.AddProblem("'vocab' is not an object of tokens and ids with at least one token");
            return vocabulary;
        }
        var wrong = new List<string>();
        foreach (var member in members.EnumerateObject())
            if (member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt32(out var id) && id >= 0)
                vocabulary[member.Name] = id;
            else
                wrong.Add($"'{member.Name}'");
        component.AddProblemOfSome("the ids of {0} tokens are not integers from 0 on: {1}", wrong);

        var shared = vocabulary.GroupBy(entry => entry.Value).Where(group => group.Skip(1).Any());
        component.AddProblemOfSome("{0} ids belong to several tokens: {1}", [.. shared.Select(group => $"{group.Key}")]);
        return vocabulary;
    }

    private static List<string> ReadMerges(JsonComponent component, Dictionary<string, int> vocabulary)
    {
        var merges = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var (malformed, unknown, repeated) = (new List<string>(), new List<string>(), new List<string>());
        if (component.Member("merges") is not { ValueKind: JsonValueKind.Array } items)
        {
            component.AddProblem("'merges' is not a list");
            return merges;
        }
        foreach (var item in items.EnumerateArray())
            if (PairOf(item) is not var (left, right))
                malformed.Add(item.GetRawText());
            else if (!vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(left + right))
                unknown.Add(item.GetRawText());
            else if (!seen.Add($"{left} {right}"))
                repeated.Add(item.GetRawText());
            else
                merges.Add($"{left} {right}");
        component.AddProblemOfSome("{0} merges are not two tokens without spaces: {1}", malformed);
        component.AddProblemOfSome("{0} merges have tokens, or make tokens, that 'vocab' lacks: {1}", unknown);
        component.AddProblemOfSome("{0} merges are listed again: {1}", repeated);
        return merges;
    }

    private static (string Left, string Right)? PairOf(JsonElement item)
    {
        string[] parts = item.ValueKind switch
        {
            JsonValueKind.String => item.GetString()!.Split(' '),
            JsonValueKind.Array when item.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String) =>
                [.. item.EnumerateArray().Select(part => part.GetString()!)],
            _ => [],
        };
        return parts is [{ Length: > 0 } left, { Length: > 0 } right] && !left.Contains(' ') && !right.Contains(' ') ? (left, right) : null;
    }

    private void CheckTokens(JsonComponent component)
    {
        if (UnknownToken is not null && !Vocabulary.ContainsKey(UnknownToken))
            component.AddProblem($"'unk_token' is '{UnknownToken}', which 'vocab' lacks");
        if (!HasByteFallback)
            return;
        var missing = ByteTokens.All.Where(token => !Vocabulary.ContainsKey(token));
        component.AddProblemOfSome("'byte_fallback' is true, but 'vocab' lacks {0} of the 256 byte tokens: {1}", [.. missing]);
        var merged = Merges.Where(merge => merge.Split(' ').Any(token => ByteTokens.TryRead(token, out _)));
        component.AddProblemOfSome("{0} merges have byte tokens, which is not supported: {1}", [.. merged.Select(merge => $"'{merge}'")]);
    }
}
