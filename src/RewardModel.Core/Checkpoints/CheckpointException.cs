namespace RewardModel.Checkpoints;

/// <summary>
/// A checkpoint's file or directory that cannot be read, or not be made: all problems found in it at once, and what to do about them.
/// </summary>
public sealed class CheckpointException : Exception
{
    /// <param name="path">The file or directory, as the user gave it.</param>
    /// <param name="problems">One sentence without a full stop per problem: what was found and what was expected. At least one.</param>
    /// <param name="advice">What to do, as a whole sentence.</param>
    /// <param name="innerException">The error that made this one known, if any.</param>
    public CheckpointException(string path, IReadOnlyList<string> problems, string advice, Exception? innerException = null)
        : base(Compose(path, problems, advice), innerException)
    {
        FilePath = path;
        Problems = problems;
        Advice = advice;
    }

    /// <summary>The file or directory, as the user gave it.</summary>
    public string FilePath { get; }

    /// <summary>What was found and what was expected, one sentence per problem.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>What to do about the problems.</summary>
    public string Advice { get; }

    private static string Compose(string path, IReadOnlyList<string> problems, string advice) =>
        problems.Count == 1
            ? $"{path}: {problems[0]}. {advice}"
            : $"{path}: {problems.Count} problems\n{string.Concat(problems.Select(problem => $"  - {problem}\n"))}{advice}";
}
