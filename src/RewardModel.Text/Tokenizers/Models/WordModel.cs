using System.Runtime.InteropServices;

namespace RewardModel.Tokenizers.Models;

/// <summary>Encodes words. Safe for many threads.</summary>
internal abstract class WordModel
{
    private readonly WordCache cache = new();

    /// <summary>Adds the ids of a word that is not empty.</summary>
    public void AddIds(ReadOnlySpan<char> word, List<int> ids)
    {
        if (cache.TryGet(word, out var known))
        {
            ids.AddRange(known);
            return;
        }
        var count = ids.Count;
        Encode(word, ids);
        cache.Add(word, CollectionsMarshal.AsSpan(ids)[count..]);
    }

    /// <summary>Adds the tokens of a word that is not empty.</summary>
    public abstract void AddTokens(ReadOnlySpan<char> word, List<WordToken> tokens);

    /// <summary>Adds the ids of a word that is not in the cache.</summary>
    protected virtual void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        var tokens = new List<WordToken>(word.Length);
        AddTokens(word, tokens);
        foreach (var token in tokens)
            ids.Add(token.Id);
    }
}
