using RewardModel.Checkpoints;

namespace RewardModel.Training.Planning;

/// <summary>Configurations of published models that plans know by name: sizes alone, written down from the papers.</summary>
internal static class NamedModel
{
    private const string extension = ".json";

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(NamedModel).Assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(extension, StringComparison.Ordinal))
            .Select(name => name[..^extension.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>The config of a directory, of a config.json, or of a name.</summary>
    /// <exception cref="CheckpointException">There is none, or it can't be read.</exception>
    public static HuggingFaceConfig ConfigOf(string nameOrPath)
    {
        if (Directory.Exists(nameOrPath))
            return HuggingFaceConfig.Read(nameOrPath);
        if (File.Exists(nameOrPath))
            return HuggingFaceConfig.ReadFile(nameOrPath);
        if (!Names.Contains(nameOrPath))
            throw new CheckpointException(
                nameOrPath, ["there is no such directory or file, and no known model of this name"],
                $"Give a directory, a config.json, or one of: {string.Join(", ", Names)}.");
        using var reader = new StreamReader(typeof(NamedModel).Assembly.GetManifestResourceStream(nameOrPath + extension)!);
        return HuggingFaceConfig.Parse(reader.ReadToEnd(), nameOrPath);
    }
}
