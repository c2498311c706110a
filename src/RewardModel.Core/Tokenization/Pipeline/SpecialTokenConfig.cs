using System.Text.Json;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>What tokenizer_config.json and special_tokens_map.json say about special tokens; the first is asked first.</summary>
/// <param name="tokenizer">tokenizer.json.</param>
/// <param name="config">tokenizer_config.json; null where there is none.</param>
/// <param name="specialTokensMap">special_tokens_map.json; null where there is none.</param>
/// <param name="ids">The id of every token.</param>
internal sealed class SpecialTokenConfig(
    JsonComponent tokenizer, JsonComponent? config, JsonComponent? specialTokensMap, IReadOnlyDictionary<string, int> ids)
{
    public SpecialTokenIds ReadIds() => new(IdOf("bos_token"), IdOf("eos_token"), IdOf("pad_token"), IdOf("unk_token"));

    public SpecialTokenRule ReadRule(SpecialTokenIds specialTokens, PostProcessor postProcessor)
    {
        var addsBeginning = config?.OptionalFlag("add_bos_token");
        if (addsBeginning is true && specialTokens.BeginningOfSequence is null)
            config!.AddProblem("'add_bos_token' is true, but there is no 'bos_token'");
        var prependId = addsBeginning switch
        {
            true => specialTokens.BeginningOfSequence,
            false => null,
            null => Single(postProcessor.IdsBefore, "before"),
        };
        return new SpecialTokenRule(prependId, specialTokens.EndOfSequence ?? Single(postProcessor.IdsAfter, "after"));
    }

    private int? IdOf(string name)
    {
        var source = config is not null && config.Has(name) ? config : specialTokensMap;
        var token = source?.Member(name)?.ValueKind == JsonValueKind.Object
            ? source.Component(name)!.Text("content")
            : source?.OptionalText(name);
        if (token is null)
            return null;
        if (ids.TryGetValue(token, out var id))
            return id;
        source!.AddProblem($"'{name}' is '{token}', which is not in the vocabulary");
        return null;
    }

    private int? Single(IReadOnlyList<int> tokenIds, string place)
    {
        if (tokenIds.Count > 1)
            tokenizer.AddProblem($"post_processor: found {tokenIds.Count} special tokens {place} the text, expected at most one");
        return tokenIds.Count == 0 ? null : tokenIds[0];
    }
}
