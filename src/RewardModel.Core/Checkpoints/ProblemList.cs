namespace RewardModel.Checkpoints;

/// <summary>Collects the problems of one file, to throw them together.</summary>
internal sealed class ProblemList
{
    // A hostile header of 100 MB can hold millions of defects; their messages must not fill the memory.
    private const int MaxListedCount = 100;

    private readonly List<string> _listed = [];
    private int _count;

    public void Add(string problem)
    {
        if (_count++ < MaxListedCount)
            _listed.Add(problem);
    }

    public void ThrowIfAny(string path, string advice, Exception? innerException = null)
    {
        if (_count == 0)
            return;
        IReadOnlyList<string> problems = _count > MaxListedCount
            ? [.. _listed, $"and {_count - MaxListedCount} more problems of this kind"]
            : _listed;
        throw new CheckpointException(path, problems, advice, innerException);
    }
}
