using RewardModel.Tokenization.Decoders;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>Turns ids into text.</summary>
/// <param name="source">The tokenizer's directory, for messages.</param>
/// <param name="tokensById">How the vocabulary spells each id.</param>
/// <param name="addedTokens">The added tokens; those that are special may be skipped.</param>
/// <param name="decoder">What turns spelt tokens into text.</param>
internal sealed class TokenDecoding(
    string source, IReadOnlyDictionary<int, string> tokensById, IReadOnlyList<AddedToken> addedTokens, ITokenDecoder decoder)
{
    private readonly HashSet<int> specialIds = [.. addedTokens.Where(token => token.IsSpecial).Select(token => token.Id)];

    public string SpellingOf(int id) => tokensById[id];

    public bool Knows(int id) => tokensById.ContainsKey(id);

    /// <exception cref="TokenizerException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var idList = ids as IReadOnlyCollection<int> ?? ids.ToArray();
        var unknown = idList.Where(id => !Knows(id)).Distinct().Select(id => $"the id {id} is not in the vocabulary").ToArray();
        if (unknown.Length > 0)
            throw new TokenizerException(source, unknown);
        var kept = idList.Where(id => !skipSpecialTokens || !specialIds.Contains(id));
        return string.Concat(decoder.Decode([.. kept.Select(id => tokensById[id])]));
    }
}
