namespace RewardModel.Packing;

/// <summary>
/// Which keys a query sees: those from <paramref name="Before"/> positions before it to <paramref name="After"/> after it.
/// </summary>
internal readonly record struct AttentionReach(int Before, int After)
{
    /// <summary>All keys up to the query itself.</summary>
    public static AttentionReach Causal { get; } = new(int.MaxValue, 0);

    /// <summary>All keys, as encoders have it.</summary>
    public static AttentionReach Full { get; } = new(int.MaxValue, int.MaxValue);

    /// <summary>A causal sliding window: the query itself and the <paramref name="size"/> - 1 keys before it.</summary>
    public static AttentionReach Window(int size) => new(size - 1, 0);

    /// <summary>The keys at most <paramref name="distance"/> positions away, on either side.</summary>
    public static AttentionReach Within(int distance) => new(distance, distance);

    /// <summary>The same for sequences up to a length: reaches that such sequences can't tell apart become equal.</summary>
    public AttentionReach For(int length) =>
        new(Before >= length - 1 ? int.MaxValue : Before, After >= length - 1 ? int.MaxValue : After);

    public bool Sees(int query, int key) => key >= (long)query - Before && key <= (long)query + After;
}
