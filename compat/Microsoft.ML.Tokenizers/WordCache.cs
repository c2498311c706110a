using System.Collections.Concurrent;

namespace Microsoft.ML.Tokenizers;

/// <summary>The symbols of words met before. Long words are not kept, and a full cache starts again. Safe for many threads.</summary>
internal sealed class WordCache
{
    private const int MaxWordLength = 256;
    private const int Capacity = 65_536;

    private readonly ConcurrentDictionary<string, Symbol[]> words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Symbol[]>.AlternateLookup<ReadOnlySpan<char>> wordsBySpan;
    private int count;

    public WordCache() => wordsBySpan = words.GetAlternateLookup<ReadOnlySpan<char>>();

    public bool TryGet(ReadOnlySpan<char> word, out Symbol[] symbols) => wordsBySpan.TryGetValue(word, out symbols);

    public void Add(ReadOnlySpan<char> word, Symbol[] symbols)
    {
        if (word.Length > MaxWordLength)
            return;
        if (Interlocked.Increment(ref count) > Capacity)
        {
            words.Clear();
            Interlocked.Exchange(ref count, 1);
        }
        wordsBySpan[word] = symbols;
    }
}
