namespace RewardModel.Training.Data;

/// <summary>
/// Which lists an epoch has, and in what order: of each source as many as its weight says. A weight of 2 gives every list twice, one of 0.7
/// seven tenths of them, drawn anew for every epoch; 2.7 does both. Every epoch has as many lists.
/// </summary>
internal sealed class EpochMixture
{
    private readonly int listCount;
    private readonly Source[]? sources;

    /// <summary>Epochs that have every list once.</summary>
    public EpochMixture(int listCount) => Count = this.listCount = listCount;

    /// <summary>Epochs in which sources have weights.</summary>
    /// <param name="sources">The number of each list's source.</param>
    /// <param name="weights">The weights by the sources' numbers: finite, 0 or more.</param>
    /// <exception cref="ArgumentException">An epoch would have no list, or more than can be counted.</exception>
    public EpochMixture(IReadOnlyList<int> sources, IReadOnlyList<double> weights)
    {
        listCount = sources.Count;
        var counts = new int[weights.Count];
        for (var list = 0; list < listCount; list++)
            counts[sources[list]]++;
        var lists = Array.ConvertAll(counts, ofSource => new int[ofSource]);
        for (var list = listCount - 1; list >= 0; list--)
            lists[sources[list]][--counts[sources[list]]] = list;
        this.sources =
            [.. Enumerable.Range(0, lists.Length).Where(source => lists[source].Length > 0).Select(source => new Source(source, weights[source], lists[source]))];
        var count = this.sources.Sum(source => source.EpochCount);
        if (count < 1 || count > Array.MaxLength)
            throw new ArgumentException(
                $"With the weights {string.Join(", ", weights)} an epoch has {count:N0} lists; expected 1 to {Array.MaxLength:N0}.", nameof(weights));
        Count = (int)count;
    }

    /// <summary>How many lists an epoch has of a source.</summary>
    public static long CountOf(int listCount, double weight) => (long)Math.Round(listCount * weight, MidpointRounding.AwayFromZero);

    /// <summary>Lists of an epoch; one that comes twice counts twice.</summary>
    public int Count { get; }

    /// <summary>The lists of an epoch in their order, by their indices.</summary>
    /// <param name="seed">Of the epoch.</param>
    public int[] Order(ulong seed)
    {
        if (sources is null)
            return SplitMix64.Permutation(listCount, seed);
        var order = new int[Count];
        var filled = 0;
        foreach (var source in sources)
            filled += source.Write(order.AsSpan(filled), seed);
        // Weights of 1 are no weights: the order must not depend on which source a list is of.
        Array.Sort(order);
        new SplitMix64(seed).Shuffle<int>(order);
        return order;
    }

    /// <summary>The lists of a source.</summary>
    private sealed class Source(int number, double weight, int[] lists)
    {
        private readonly double whole = Math.Floor(weight);

        public double EpochCount => CountOf(lists.Length, weight);

        /// <summary>Writes an epoch's lists of the source.</summary>
        /// <param name="order">Where they go, from its beginning.</param>
        /// <param name="seed">Of the epoch.</param>
        /// <returns>How many they are.</returns>
        public int Write(Span<int> order, ulong seed)
        {
            var written = 0;
            for (var time = 0; time < whole; time++, written += lists.Length)
                lists.CopyTo(order[written..]);
            var count = (int)(EpochCount - whole * lists.Length);
            if (count == 0)
                return written;
            // A generator of its own, so that what is drawn of one source is the same whatever others there are.
            var random = new SplitMix64(SplitMix64.Mix(seed) + (ulong)number);
            var drawn = (int[])lists.Clone();
            for (var i = 0; i < count; i++)
            {
                var other = i + random.NextBelow(drawn.Length - i);
                (drawn[i], drawn[other]) = (drawn[other], drawn[i]);
                order[written++] = drawn[i];
            }
            return written;
        }
    }
}
