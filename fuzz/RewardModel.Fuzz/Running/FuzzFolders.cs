namespace RewardModel.Fuzz.Running;

/// <summary>Where things are kept.</summary>
/// <param name="Root">The folder of them all; what is in it is no part of the repository.</param>
internal sealed record FuzzFolders(string Root)
{
    /// <summary>What was found.</summary>
    public string Findings => Created(Path.Combine(Root, "findings"));

    /// <summary>A target's corpus.</summary>
    public string CorpusOf(string target) => Path.Combine(Root, "corpus", target);

    /// <summary>Where a target of this process reads and writes.</summary>
    public static string ScratchOf(string target) => Created(ScratchOf(Environment.ProcessId, target));

    /// <summary>Removes where a target of a process that has ended read and wrote.</summary>
    public static void RemoveScratch(int process, string target)
    {
        if (Directory.Exists(ScratchOf(process, target)))
            Directory.Delete(ScratchOf(process, target), recursive: true);
    }

    private static string ScratchOf(int process, string target) => Path.Combine(Path.GetTempPath(), $"reward-model-fuzz-{process}-{target}");

    private static string Created(string path) => Directory.CreateDirectory(path).FullName;
}
