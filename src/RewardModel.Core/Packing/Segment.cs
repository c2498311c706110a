namespace RewardModel.Packing;

/// <summary>A run of tokens in a packed row.</summary>
/// <param name="Start">Index of its first token in the row of keys.</param>
/// <param name="Length">Count of its tokens, at least 1.</param>
/// <param name="Parent">Index of the segment that this one continues, or -1.</param>
/// <param name="Known">
/// Of its first tokens how many have keys and values in a <see cref="PromptCache"/>, so that only the others are computed.
/// </param>
internal readonly record struct Segment(int Start, int Length, int Parent = Segment.NoParent, int Known = 0)
{
    /// <summary>Tokens that are computed.</summary>
    public int Computed => Length - Known;

    /// <summary>The <see cref="Parent"/> of a segment that continues no other.</summary>
    public const int NoParent = -1;
}
