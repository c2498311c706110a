using System.Text.Json;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>A vocabulary of tokens that are merged of pairs of shorter ones.</summary>
/// <param name="Vocabulary">Every token of the model and its id.</param>
/// <param name="Merges">The merges, most important first, as two tokens with a space between.</param>
/// <param name="UnknownToken">What stands for a character that the vocabulary lacks; null drops such characters.</param>
/// <param name="FusesUnknown">Whether neighbouring unknown characters become one unknown token.</param>
/// <param name="HasByteFallback">Whether a character that the vocabulary lacks becomes its UTF-8 bytes.</param>
/// <param name="IgnoresMergesOfKnownWords">Whether a word that the vocabulary has is taken as it is.</param>
/// <param name="ContinuingPrefix">What tokens that don't start a word start with; null for nothing.</param>
/// <param name="EndSuffix">What tokens that end a word end with; null for nothing.</param>
internal sealed record BpeDefinition(
    Dictionary<string, int> Vocabulary,
    IReadOnlyList<string> Merges,
    string? UnknownToken,
    bool FusesUnknown,
    bool HasByteFallback,
    bool IgnoresMergesOfKnownWords,
    string? ContinuingPrefix,
    string? EndSuffix) : ModelDefinition(Vocabulary)
{
    public override string Type => "BPE";

    /// <summary>Reads the model; what is wrong is among the problems.</summary>
    public static BpeDefinition Read(JsonComponent component)
    {
        if (component.Member("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
            component.AddProblem($"'dropout' is {Excerpt.Of(dropout.GetRawText())}, which is not supported; expected null");
        var vocabulary = ModelReader.ReadVocabulary(component);
        var prefix = NullIfEmpty(component.OptionalText("continuing_subword_prefix"));
        var definition = new BpeDefinition(
            vocabulary,
            ReadMerges(component, vocabulary, prefix),
            component.OptionalText("unk_token"),
            component.OptionalFlag("fuse_unk") ?? false,
            component.OptionalFlag("byte_fallback") ?? false,
            component.OptionalFlag("ignore_merges") ?? false,
            prefix,
            NullIfEmpty(component.OptionalText("end_of_word_suffix")));
        definition.CheckTokens(component);
        return definition;
    }

    public override WordModel Make(bool readsBytes, IReadOnlySet<string> hidden) => new BpeModel(this, readsBytes, hidden);

    public override bool LooksWordsUp => IgnoresMergesOfKnownWords;

    public override bool SpellsBytes => true;

    private static string? NullIfEmpty(string? affix) => affix is { Length: > 0 } ? affix : null;

    private static List<string> ReadMerges(JsonComponent component, Dictionary<string, int> vocabulary, string? continuingPrefix)
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
            else if (!vocabulary.ContainsKey(left) || !vocabulary.ContainsKey(right) || !vocabulary.ContainsKey(Merged(left, right)))
                unknown.Add(item.GetRawText());
            else if (!seen.Add($"{left} {right}"))
                repeated.Add(item.GetRawText());
            else
                merges.Add($"{left} {right}");
        component.AddProblemOfSome("{0} merges are not two tokens without spaces: {1}", malformed);
        component.AddProblemOfSome("{0} merges have tokens, or make tokens, that 'vocab' lacks: {1}", unknown);
        component.AddProblemOfSome("{0} merges are listed again: {1}", repeated);
        return merges;

        string Merged(string left, string right) =>
            left + right[Math.Min(continuingPrefix?.Length ?? 0, right.Length)..];
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
            component.AddProblem($"'unk_token' is '{Excerpt.Of(UnknownToken)}', which 'vocab' lacks");
        if (!HasByteFallback)
            return;
        if (ContinuingPrefix is not null || EndSuffix is not null)
            component.AddProblem("'byte_fallback' together with 'continuing_subword_prefix' or 'end_of_word_suffix' is not supported");
        var missing = ByteTokens.All.Where(token => !Vocabulary.ContainsKey(token));
        component.AddProblemOfSome("'byte_fallback' is true, but 'vocab' lacks {0} of the 256 byte tokens: {1}", [.. missing]);
        var merged = Merges.Where(merge => merge.Split(' ').Any(token => ByteTokens.TryRead(token, out _)));
        component.AddProblemOfSome("{0} merges have byte tokens, which is not supported: {1}", [.. merged.Select(merge => $"'{merge}'")]);
    }
}
