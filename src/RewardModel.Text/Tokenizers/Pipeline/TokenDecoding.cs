using RewardModel.Tokenizers.Decoders;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Turns ids into text.</summary>
/// <param name="source">The tokenizer's directory, for messages.</param>
/// <param name="tokensById">
/// How each id is spelt: as in the vocabulary, but for added tokens that are looked for in normalised text, which come back as that.
/// </param>
/// <param name="specialTokens">
/// What may be skipped. A special token whose spelling is another than its name is not, as in Hugging Face.
/// </param>
/// <param name="decoder">What turns spelt tokens into text.</param>
internal sealed class TokenDecoding(
    string source, IReadOnlyDictionary<int, string> tokensById, IReadOnlySet<string> specialTokens, ITokenDecoder decoder)
{
    public string SpellingOf(int id) => tokensById[id];

    public bool Knows(int id) => tokensById.ContainsKey(id);

    /// <exception cref="TokenizerException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var idList = ids as IReadOnlyCollection<int> ?? ids.ToArray();
        var unknown = idList.Where(id => !Knows(id)).Distinct().Select(id => $"the id {id} is not in the vocabulary").ToArray();
        if (unknown.Length > 0)
            throw new TokenizerException(source, unknown);
        var kept = idList.Select(SpellingOf).Where(token => !skipSpecialTokens || !specialTokens.Contains(token));
        return string.Concat(decoder.Decode([.. kept]));
    }
}
