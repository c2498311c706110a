namespace Microsoft.ML.Tokenizers;

/// <summary>A token of a word: its id, and its part of the word, in bytes for a byte-level vocabulary, else in characters.</summary>
internal record struct Symbol(int Id, int Start, int End);

/// <summary>
/// Byte-pair merging: of all neighbouring pairs that have a merge, the most important is merged first, the leftmost of equals.
/// </summary>
internal sealed class PairMerger
{
    /// <summary>Up to this many symbols scanning for the best pair is faster than keeping a queue.</summary>
    private const int ScanLimit = 48;

    // By left id times stride plus right id: a number that is looked up much faster than a pair, and whose hashes are spread.
    private readonly Dictionary<long, (int Rank, int Id)> merges;
    private readonly long stride;

    /// <param name="merges">For each pair of ids: its rank, lowest first, and the id of the merged token.</param>
    public PairMerger(Dictionary<(int Left, int Right), (int Rank, int Id)> merges)
    {
        stride = merges.Keys.Select(pair => pair.Right + 1L).DefaultIfEmpty().Max();
        this.merges = merges.ToDictionary(merge => KeyOf(merge.Key.Left, merge.Key.Right), merge => merge.Value);
    }

    /// <summary>Merges <paramref name="symbols"/> in place and returns how many are left.</summary>
    public int Merge(Span<Symbol> symbols) => symbols.Length <= ScanLimit ? MergeByScanning(symbols) : MergeByQueue(symbols);

    private int MergeByScanning(Span<Symbol> symbols)
    {
        Span<(int Rank, int Id)> pairs = stackalloc (int, int)[ScanLimit];
        var count = symbols.Length;
        for (var i = 0; i + 1 < count; i++)
            pairs[i] = MergeOf(symbols[i].Id, symbols[i + 1].Id);
        while (true)
        {
            var best = -1;
            var bestRank = int.MaxValue;
            for (var i = 0; i + 1 < count; i++)
                if (pairs[i].Rank < bestRank)
                    (best, bestRank) = (i, pairs[i].Rank);
            if (best < 0)
                return count;

            symbols[best] = new Symbol(pairs[best].Id, symbols[best].Start, symbols[best + 1].End);
            count--;
            symbols.Slice(best + 2, count - best - 1).CopyTo(symbols[(best + 1)..]);
            if (best + 1 < count)
            {
                pairs.Slice(best + 1, count - best - 1).CopyTo(pairs[best..]);
                pairs[best] = MergeOf(symbols[best].Id, symbols[best + 1].Id);
            }
            if (best > 0)
                pairs[best - 1] = MergeOf(symbols[best - 1].Id, symbols[best].Id);
        }
    }

    private int MergeByQueue(Span<Symbol> symbols)
    {
        var count = symbols.Length;
        var previous = new int[count];
        var next = new int[count];
        var queue = new PriorityQueue<(int Left, int Right, int LeftId, int RightId, int Id), long>(count);
        for (var i = 0; i < count; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1 < count ? i + 1 : -1;
        }
        for (var i = 0; i + 1 < count; i++)
            Enqueue(queue, symbols, i, i + 1);

        while (queue.TryDequeue(out var pair, out _))
        {
            // A pair is out of date when one of its symbols has been merged since: ids of symbols merged away are -1.
            if (symbols[pair.Left].Id != pair.LeftId || symbols[pair.Right].Id != pair.RightId || next[pair.Left] != pair.Right)
                continue;
            symbols[pair.Left] = new Symbol(pair.Id, symbols[pair.Left].Start, symbols[pair.Right].End);
            symbols[pair.Right].Id = -1;
            var after = next[pair.Right];
            next[pair.Left] = after;
            if (after >= 0)
            {
                previous[after] = pair.Left;
                Enqueue(queue, symbols, pair.Left, after);
            }
            if (previous[pair.Left] >= 0)
                Enqueue(queue, symbols, previous[pair.Left], pair.Left);
        }

        var remaining = 0;
        for (var i = 0; i >= 0; i = next[i])
            symbols[remaining++] = symbols[i];
        return remaining;
    }

    private void Enqueue(
        PriorityQueue<(int Left, int Right, int LeftId, int RightId, int Id), long> queue, ReadOnlySpan<Symbol> symbols, int left,
        int right)
    {
        var (leftId, rightId) = (symbols[left].Id, symbols[right].Id);
        var (rank, id) = MergeOf(leftId, rightId);
        if (rank != int.MaxValue)
            queue.Enqueue((left, right, leftId, rightId, id), ((long)rank << 32) | (uint)left);
    }

    private (int Rank, int Id) MergeOf(int left, int right) =>
        right < stride && merges.TryGetValue(KeyOf(left, right), out var merge) ? merge : (int.MaxValue, -1);

    private long KeyOf(int left, int right) => left * stride + right;
}
