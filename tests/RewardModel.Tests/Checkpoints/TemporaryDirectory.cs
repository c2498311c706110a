namespace RewardModel.Tests.Checkpoints;

/// <summary>An empty directory that goes with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string FullPath { get; } = System.IO.Directory.CreateTempSubdirectory("reward-model-").FullName;

    public string File(string name) => Path.Combine(FullPath, name);

    /// <summary>The names of what lies in the directory, sorted.</summary>
    public string[] FileNames() =>
        [.. System.IO.Directory.EnumerateFileSystemEntries(FullPath).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    public void Dispose() => System.IO.Directory.Delete(FullPath, recursive: true);
}
