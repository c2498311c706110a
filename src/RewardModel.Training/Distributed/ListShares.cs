namespace RewardModel.Training.Distributed;

/// <summary>Which rank computes which lists.</summary>
internal static class ListShares
{
    /// <summary>
    /// Divides lists by their tokens: the longest first, each to the rank that has fewest so far (Graham, SIAM Journal on Applied Mathematics
    /// 17(2), 1969: at most 4/3 of what would be best). The same on every rank.
    /// </summary>
    /// <param name="tokens">Tokens of each list.</param>
    /// <param name="ranks">Number of ranks.</param>
    /// <returns>For each rank its lists' indices, rising; there may be none.</returns>
    public static int[][] Of(IReadOnlyList<int> tokens, int ranks)
    {
        var shares = Enumerable.Range(0, ranks).Select(_ => new List<int>()).ToArray();
        var least = new PriorityQueue<int, (long Tokens, int Rank)>();
        for (var rank = 0; rank < ranks; rank++)
            least.Enqueue(rank, (0, rank));
        foreach (var index in Enumerable.Range(0, tokens.Count).OrderByDescending(index => tokens[index]))
        {
            least.TryDequeue(out var rank, out var load);
            shares[rank].Add(index);
            least.Enqueue(rank, (load.Tokens + tokens[index], rank));
        }
        return [.. shares.Select(share => share.Order().ToArray())];
    }
}
