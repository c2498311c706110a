using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace RewardModel.Training.Records;

/// <summary>What tells a state of a directory from later ones, without reading its files.</summary>
internal static class DirectoryVersion
{
    /// <summary>A digest of the names, lengths and times of the files in a directory and in the directories in it.</summary>
    /// <param name="directory">The directory; it need not exist yet.</param>
    public static string Of(string directory)
    {
        var files = new DirectoryInfo(directory);
        if (!files.Exists)
            return "none";
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1, IgnoreInaccessible = true };
        var lines = new StringBuilder();
        foreach (var file in files.EnumerateFiles("*", options).OrderBy(file => file.FullName, StringComparer.Ordinal))
            try
            {
                lines.Append(CultureInfo.InvariantCulture, $"{file.FullName}\n{file.Length} {file.LastWriteTimeUtc.Ticks}\n");
            }
            catch (FileNotFoundException)
            {
                // Renamed or deleted since; the next look finds what is there then.
            }
        return XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(lines.ToString())).ToString("x16", CultureInfo.InvariantCulture);
    }
}
