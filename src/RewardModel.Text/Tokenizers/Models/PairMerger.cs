namespace RewardModel.Tokenizers.Models;

/// <summary>
/// Byte-pair merging: of all neighbouring pairs that have a merge, the most important is merged first, the leftmost of equals. Takes time
/// in proportion to the length of a word, but for a logarithm.
/// </summary>
internal sealed class PairMerger
{
    private const int NoId = -1;

    /// <summary>Up to this many tokens scanning for the best pair is faster than keeping a queue.</summary>
    private const int ScanLimit = 48;

    // By left id times stride plus right id: a number that is looked up much faster than a pair, and whose hashes are spread.
    private readonly Dictionary<long, (int Rank, int Id)> merges;
    private readonly long stride;

    /// <param name="merges">For each pair of ids: its rank, lowest first, and the id of the merged token.</param>
    public PairMerger(IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> merges)
    {
        stride = merges.Keys.Select(pair => pair.Right + 1L).DefaultIfEmpty().Max();
        this.merges = merges.ToDictionary(merge => KeyOf(merge.Key.Left, merge.Key.Right), merge => merge.Value);
    }

    /// <summary>Merges <paramref name="tokens"/> in place and returns how many are left.</summary>
    public int Merge(Span<WordToken> tokens) => tokens.Length <= ScanLimit ? MergeByScanning(tokens) : MergeByQueue(tokens);

    private int MergeByScanning(Span<WordToken> tokens)
    {
        Span<(int Rank, int Id)> pairs = stackalloc (int, int)[ScanLimit];
        var count = tokens.Length;
        for (var i = 0; i + 1 < count; i++)
            pairs[i] = MergeOf(tokens[i].Id, tokens[i + 1].Id);
        while (true)
        {
            var best = -1;
            var bestRank = int.MaxValue;
            for (var i = 0; i + 1 < count; i++)
                if (pairs[i].Rank < bestRank)
                    (best, bestRank) = (i, pairs[i].Rank);
            if (best < 0)
                return count;

            tokens[best] = new WordToken(pairs[best].Id, tokens[best].Start, tokens[best + 1].End);
            count--;
            tokens.Slice(best + 2, count - best - 1).CopyTo(tokens[(best + 1)..]);
            if (best + 1 < count)
            {
                pairs.Slice(best + 1, count - best - 1).CopyTo(pairs[best..]);
                pairs[best] = MergeOf(tokens[best].Id, tokens[best + 1].Id);
            }
            if (best > 0)
                pairs[best - 1] = MergeOf(tokens[best - 1].Id, tokens[best].Id);
        }
    }

    private int MergeByQueue(Span<WordToken> tokens)
    {
        var count = tokens.Length;
        var previous = new int[count];
        var next = new int[count];
        var queue = new PriorityQueue<(int Left, int Right, int LeftId, int RightId, int Id), long>(count);
        for (var i = 0; i < count; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1 < count ? i + 1 : -1;
        }
        for (var i = 0; i + 1 < count; i++)
            Enqueue(queue, tokens, i, i + 1);

        while (queue.TryDequeue(out var pair, out _))
        {
            // A pair is out of date when one of its tokens has been merged since; those merged away have no id.
            if (tokens[pair.Left].Id != pair.LeftId || tokens[pair.Right].Id != pair.RightId || next[pair.Left] != pair.Right)
                continue;
            tokens[pair.Left] = new WordToken(pair.Id, tokens[pair.Left].Start, tokens[pair.Right].End);
            tokens[pair.Right] = tokens[pair.Right] with { Id = NoId };
            var after = next[pair.Right];
            next[pair.Left] = after;
            if (after >= 0)
            {
                previous[after] = pair.Left;
                Enqueue(queue, tokens, pair.Left, after);
            }
            if (previous[pair.Left] >= 0)
                Enqueue(queue, tokens, previous[pair.Left], pair.Left);
        }

        var remaining = 0;
        for (var i = 0; i >= 0; i = next[i])
            tokens[remaining++] = tokens[i];
        return remaining;
    }

    private void Enqueue(
        PriorityQueue<(int Left, int Right, int LeftId, int RightId, int Id), long> queue, ReadOnlySpan<WordToken> tokens, int left,
        int right)
    {
        var (leftId, rightId) = (tokens[left].Id, tokens[right].Id);
        var (rank, id) = MergeOf(leftId, rightId);
        if (rank != int.MaxValue)
            queue.Enqueue((left, right, leftId, rightId, id), ((long)rank << 32) | (uint)left);
    }

    private (int Rank, int Id) MergeOf(int left, int right) =>
        right < stride && merges.TryGetValue(KeyOf(left, right), out var merge) ? merge : (int.MaxValue, NoId);

    private long KeyOf(int left, int right) => left * stride + right;
}
