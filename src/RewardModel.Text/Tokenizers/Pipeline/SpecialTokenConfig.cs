using System.Text.Json;

using RewardModel.Jinja;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>What tokenizer_config.json and special_tokens_map.json say about special tokens; the first is asked first.</summary>
/// <param name="config">tokenizer_config.json; null where there is none.</param>
/// <param name="specialTokensMap">special_tokens_map.json; null where there is none.</param>
/// <param name="ids">The id of every token.</param>
internal sealed class SpecialTokenConfig(
    JsonComponent? config, JsonComponent? specialTokensMap, IReadOnlyDictionary<string, int> ids)
{
    /// <summary>The names by which transformers gives special tokens to chat templates.</summary>
    private static readonly string[] names =
    [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ];

    public IReadOnlyDictionary<string, string> ReadTexts() => names
        .Select(name => (Name: name, Text: TextOf(name).Text))
        .Where(token => token.Text is not null)
        .ToDictionary(token => token.Name, token => token.Text!);

    public SpecialTokenIds ReadIds() => new(IdOf("bos_token"), IdOf("eos_token"), IdOf("pad_token"), IdOf("unk_token"));

    public SpecialTokenRule ReadRule(SpecialTokenIds specialTokens, PostProcessor postProcessor)
    {
        if (postProcessor.Pair is { } pair && Separates(pair))
            return pair;
        var addsBeginning = config?.OptionalFlag("add_bos_token");
        if (addsBeginning is true && specialTokens.BeginningOfSequence is null)
            config!.AddProblem("'add_bos_token' is true, but there is no 'bos_token'");
        var before = addsBeginning switch
        {
            true => Optional(specialTokens.BeginningOfSequence),
            false => [],
            null => postProcessor.Before,
        };
        var after = specialTokens.EndOfSequence is { } end ? [end] : postProcessor.After;
        return new SpecialTokenRule(before, AfterPrompt: [], after);
    }

    /// <summary>
    /// Whether a template is an encoder's: [CLS] prompt [SEP] answer [SEP]. A decoder's template for pairs puts two sequences side by
    /// side, the second with a beginning of its own, or nothing before the first.
    /// </summary>
    private static bool Separates(SpecialTokenRule pair) =>
        pair.BeforePrompt.Count > 0 && pair.AfterPrompt.Count > 0 && !pair.AfterPrompt.Contains(pair.BeforePrompt[0]);

    private static int[] Optional(int? id) => id is { } value ? [value] : [];

    private int? IdOf(string name)
    {
        var (source, token) = TextOf(name);
        if (token is null)
            return null;
        if (ids.TryGetValue(token, out var id))
            return id;
        source!.AddProblem($"'{name}' is '{Excerpt.Of(token)}', which is not in the vocabulary");
        return null;
    }

    private (JsonComponent? Source, string? Text) TextOf(string name)
    {
        var source = config is not null && config.Has(name) ? config : specialTokensMap;
        return (source, source?.Member(name)?.ValueKind == JsonValueKind.Object
            ? source.Component(name)!.Text("content")
            : source?.OptionalText(name));
    }
}
