namespace RewardModel.Checkpoints;

/// <summary>Collects the problems of one file, to throw them together.</summary>
internal sealed class ProblemList
{
    // A hostile header of 100 MB can hold millions of defects; their messages must not fill the memory.
    private const int MaxListedCount = 100;

    private readonly List<string> listed = [];
    private int count;

    public void Add(string problem)
    {
        if (count++ < MaxListedCount)
            listed.Add(problem);
    }

    public void ThrowIfAny(string path, string advice, Exception? innerException = null)
    {
        if (count == 0)
            return;
        IReadOnlyList<string> problems = count > MaxListedCount
            ? [.. listed, $"and {count - MaxListedCount} more problems of this kind"]
            : listed;
        throw new CheckpointException(path, problems, advice, innerException);
    }
}
