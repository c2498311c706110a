using System.Globalization;
using RewardModel.Checkpoints;

namespace RewardModel.Server;

/// <summary>What tells a model's files from later ones, without reading them.</summary>
internal static class ModelFiles
{
    private static readonly string[] extensions = [".json", ".safetensors", ".jinja", ".model"];

    /// <summary>Names, lengths and times of the files that a model, or the members of an ensemble, are loaded from.</summary>
    public static string Version(IEnumerable<string> directories) => string.Join('\n', directories
        .SelectMany(directory => File.Exists(Path.Combine(directory, HuggingFaceConfig.FileName)) || !Directory.Exists(directory)
            ? [directory] : (string[])[directory, .. Directory.GetDirectories(directory)])
        .Select(directory => new DirectoryInfo(directory)).Where(directory => directory.Exists)
        .SelectMany(directory => directory.EnumerateFiles().Where(file => extensions.Contains(file.Extension)))
        .OrderBy(file => file.FullName, StringComparer.Ordinal).Select(Version));

    private static string Version(FileInfo file)
    {
        try
        {
            return string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}");
        }
        catch (FileNotFoundException)
        {
            // Renamed or deleted since; the next look finds what is there then.
            return file.FullName;
        }
    }
}
