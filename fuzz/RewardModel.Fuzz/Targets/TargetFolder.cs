namespace RewardModel.Fuzz.Targets;

/// <summary>Files of a target's folder.</summary>
internal static class TargetFolder
{
    /// <summary>Writes files; of those without content there are none.</summary>
    public static void Write(string folder, params IReadOnlyList<(string Name, byte[] Content)> files)
    {
        foreach (var (name, content) in files)
        {
            var path = Path.Combine(folder, name);
            if (content.Length == 0)
            {
                File.Delete(path);
                continue;
            }
            if (name.Contains('/', StringComparison.Ordinal))
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }
}
