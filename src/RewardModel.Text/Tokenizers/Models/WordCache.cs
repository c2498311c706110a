using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace RewardModel.Tokenizers.Models;

/// <summary>The ids of words met before. Long words are not kept, and a full cache starts again. Safe for many threads.</summary>
internal sealed class WordCache
{
    /// <summary>The longest words that are kept, in UTF-16 units.</summary>
    public const int MaxWordLength = 256;

    /// <summary>The most words that are kept.</summary>
    public const int Capacity = 65_536;

    private readonly ConcurrentDictionary<string, int[]> words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> wordsBySpan;
    private int count;

    public WordCache() => wordsBySpan = words.GetAlternateLookup<ReadOnlySpan<char>>();

    public bool TryGet(ReadOnlySpan<char> word, [NotNullWhen(true)] out int[]? ids) => wordsBySpan.TryGetValue(word, out ids);

    public void Add(ReadOnlySpan<char> word, ReadOnlySpan<int> ids)
    {
        if (word.Length > MaxWordLength)
            return;
        if (Interlocked.Increment(ref count) > Capacity)
        {
            words.Clear();
            Interlocked.Exchange(ref count, 1);
        }
        wordsBySpan[word] = ids.ToArray();
    }
}
