using System.Globalization;
using RewardModel.Checkpoints;

namespace RewardModel.Server;

/// <summary>What tells a model's files from later ones, without reading them.</summary>
internal static class ModelFiles
{
    private static readonly string[] extensions = [".json", ".safetensors", ".jinja", ".model"];

    /// <summary>Names, lengths and times of the files that a model, or the members of an ensemble, are loaded from.</summary>
    public static string Version(IEnumerable<string> directories) => string.Join('\n', directories
        .SelectMany(directory => File.Exists(Path.Combine(directory, HuggingFaceConfig.FileName))
            ? [directory] : (string[])[directory, .. Found(() => Directory.GetDirectories(directory))])
        .SelectMany(directory => Found(() => new DirectoryInfo(directory).GetFiles()))
        .Where(file => extensions.Contains(file.Extension))
        .OrderBy(file => file.FullName, StringComparer.Ordinal)
        .SelectMany(file => Found<string>(() =>
            [string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}")])));

    /// <summary>What is looked up; nothing where it is being renamed or deleted, of which the next look finds what has come of it.</summary>
    private static TFound[] Found<TFound>(Func<TFound[]> look)
    {
        try
        {
            return look();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
