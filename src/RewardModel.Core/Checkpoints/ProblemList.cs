namespace RewardModel.Checkpoints;

/// <summary>Collects the problems of one file, to throw them together.</summary>
internal sealed class ProblemList
{
    private const int maxListedCount = 100;

    private readonly List<string> listed = [];

    /// <summary>
    /// Whether there are more than are listed, so that looking for others is no use: a hostile file can hold millions of defects.
    /// </summary>
    public bool IsFull { get; private set; }

    /// <summary>What to do, where that is another thing than for most problems; the first problem's.</summary>
    private string? ownAdvice;

    public void Add(string problem, string? advice = null)
    {
        ownAdvice ??= advice;
        if (listed.Count < maxListedCount)
            listed.Add(problem);
        else
            IsFull = true;
    }

    public void ThrowIfAny(string path, string advice, Exception? innerException = null)
    {
        if (listed.Count > 0)
            throw new CheckpointException(
                path, IsFull ? [.. listed, "and more problems of this kind"] : listed, ownAdvice ?? advice, innerException);
    }
}
