namespace RewardModel.Fuzz.Running;

/// <summary>Where things are kept.</summary>
/// <param name="Root">The folder of them all; what is in it is no part of the repository.</param>
internal sealed record FuzzFolders(string Root)
{
    /// <summary>What was found.</summary>
    public string Findings => Created(Path.Combine(Root, "findings"));

    /// <summary>A target's corpus.</summary>
    public string CorpusOf(string target) => Path.Combine(Root, "corpus", target);

    /// <summary>Where a target reads and writes.</summary>
    public static string ScratchOf(string target) => Created(Path.Combine(Path.GetTempPath(), $"reward-model-fuzz-{Environment.ProcessId}-{target}"));

    private static string Created(string path) => Directory.CreateDirectory(path).FullName;
}
