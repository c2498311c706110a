namespace RewardModel.Tests;

/// <summary>A directory that is gone at the end of the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("reward-model-test-").FullName;

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    /// <summary>The names of what lies in the directory, sorted.</summary>
    public string[] FileNames() =>
        [.. Directory.EnumerateFileSystemEntries(Path).Select(path => System.IO.Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    /// <summary>The paths of everything below the directory, with the times of files, sorted.</summary>
    public string[] AllEntries() =>
    [
        .. Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories)
            .Select(path => $"{path} {(File.Exists(path) ? File.GetLastWriteTimeUtc(path).Ticks : 0)}").Order(StringComparer.Ordinal),
    ];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
