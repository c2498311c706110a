namespace RewardModel.Files;

/// <summary>A file is not read, because of what it is: no regular file, too large for its kind, a link that leads elsewhere, no text.</summary>
/// <param name="path">The file.</param>
/// <param name="problem">What it is, and what was expected; no full stop at its end.</param>
/// <param name="advice">What to do, as a whole sentence.</param>
internal sealed class FileRefusedException(string path, string problem, string advice) : IOException($"'{path}': {problem}. {advice}")
{
    /// <summary>What it is, and what was expected.</summary>
    public string Problem => problem;

    /// <summary>What to do.</summary>
    public string Advice => advice;
}
