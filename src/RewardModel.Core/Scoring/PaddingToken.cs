using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RewardModel.Tokenizers;

namespace RewardModel.Scoring;

/// <summary>
/// The token that transformers pads batches of a saved model with. It pads with the tokenizer's <c>pad_token</c> and reads a decoder's
/// reward at the right-most id that is not config.json's <c>pad_token_id</c>. So both have to name one token, and one that ends no answer;
/// trainers that tell padding by its id want it in no prompt either.
/// </summary>
/// <param name="Id">config.json's <c>pad_token_id</c>; null for none, with which transformers refuses to score padded batches.</param>
/// <param name="Content">The tokenizer's <c>pad_token</c>; null where its files stay as they are.</param>
/// <param name="Problem">Why padded batches can't be scored, and what to do; null where they can.</param>
internal sealed partial record PaddingToken(int? Id, string? Content, string? Problem)
{
    private const string Impossible =
        "transformers can't score padded batches of the saved model: every special token that its tokenizer has may stand in a prompt or an "
        + "answer, so none can be pad_token, and config.json has no pad_token_id. Score one text at a time there. Or give the backbone a "
        + "token for padding before training, in transformers: tokenizer.add_special_tokens({\"pad_token\": \"<pad>\"}), "
        + "model.resize_token_embeddings(len(tokenizer)), and save_pretrained of both";

    public static PaddingToken Of(RewardTransformer transformer, HuggingFaceTokenizer? tokenizer, ScoringRule rule)
    {
        var rows = transformer.Backbone.VocabularySize;
        var configured = transformer.Config.Json["pad_token_id"] is JsonValue value && value.TryGetValue<int>(out var id) && id >= 0 && id < rows
            ? id : (int?)null;
        if (tokenizer is null)
            return new PaddingToken(
                new[] { configured, 0, 1 }.OfType<int>().First(
                    id => !transformer.Backbone.IsCausal || !rule.SpecialTokens.AfterAnswer.Contains(id)),
                Content: null, Problem: null);
        if (!transformer.Backbone.IsCausal)
            return OfEncoder(configured, tokenizer);

        var special = rule.SpecialTokens;
        int[] added = [.. special.BeforePrompt, .. special.AfterPrompt, .. special.AfterAnswer];
        // Without a token after the answer its last one can be any that text has, and that of characters that the vocabulary lacks.
        var isEndMarked = special.AfterAnswer.Count > 0;
        var fitting = Candidates(tokenizer, configured)
            .Where(token => token.Id < rows && !added.Contains(token.Id) && (isEndMarked || token.Id != tokenizer.UnknownId)).ToArray();
        var chosen = fitting.FirstOrDefault(token => rule.ChatTemplate?.Contains(token.Content, StringComparison.Ordinal) != true)
            ?? (isEndMarked ? fitting.FirstOrDefault() : null);
        return chosen is null ? new PaddingToken(null, null, Impossible) : new PaddingToken(chosen.Id, chosen.Content, Problem: null);
    }

    /// <summary>Encoders read a reward at the first token or by the attention mask; RoBERTa and XLM-RoBERTa count positions from the id.</summary>
    private static PaddingToken OfEncoder(int? configured, HuggingFaceTokenizer tokenizer)
    {
        var id = configured ?? tokenizer.PaddingId ?? tokenizer.UnknownId ?? tokenizer.BeginningOfSequenceId ?? 0;
        var content = id == tokenizer.PaddingId
            ? tokenizer.SpecialTokens["pad_token"]
            : tokenizer.SpecialAddedTokens.FirstOrDefault(token => token.Id == id)?.Content;
        var problem = content is null && tokenizer.PaddingId is { } other
            ? $"config.json's pad_token_id is {id}, which is no special token of the tokenizer, whose pad_token has the id {other}: "
                + "transformers may score padded batches of the saved model wrongly. Use the tokenizer that belongs to the model"
            : null;
        return new PaddingToken(id, content, problem);
    }

    /// <summary>Tokens that no text becomes, the likeliest first.</summary>
    private static IEnumerable<Candidate> Candidates(HuggingFaceTokenizer tokenizer, int? configured)
    {
        if (tokenizer.PaddingId is { } own)
            yield return new Candidate(own, tokenizer.SpecialTokens["pad_token"]);
        Candidate[] special =
        [
            .. tokenizer.SpecialAddedTokens
                .Where(token => token is { StripsLeft: false, StripsRight: false, IsSingleWord: false }
                    && token.Id != tokenizer.EndOfSequenceId && token.Content.Length > 0)
                .Select(token => new Candidate(token.Id, token.Content)),
        ];
        Candidate[] unknown = tokenizer.UnknownId is { } id && id != tokenizer.EndOfSequenceId
            ? [new Candidate(id, tokenizer.SpecialTokens["unk_token"])] : [];
        Candidate[][] groups =
        [
            [.. special.Where(token => token.Id == configured)],
            [.. special.Where(token => PaddingName().IsMatch(token.Content))],
            [.. special.Where(token => token.Content.Contains("pad", StringComparison.OrdinalIgnoreCase))],
            unknown,
            [.. special.Where(token => ReservedName().IsMatch(token.Content))],
            [.. special.Where(token => !tokenizer.SpecialTokens.Values.Contains(token.Content))],
            special,
        ];
        foreach (var token in groups.SelectMany(group => group))
            yield return token;
    }

    // <pad>, [PAD], <|padding|> and the like.
    [GeneratedRegex("^[^A-Za-z]*pad(ding)?[^A-Za-z]*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PaddingName();

    // <|reserved_special_token_0|>, <unused0>, <|dummy_0|>, <|placeholder1|>, <extra_0>.
    [GeneratedRegex("reserved|unused|dummy|placeholder|extra_", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ReservedName();

    private sealed record Candidate(int Id, string Content);
}
