using RewardModel.Checkpoints;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Scoring;

/// <summary>
/// Replaces the files of a model in a directory all together, so that whenever the process ends the old model is there or the new one.
/// </summary>
/// <remarks>
/// No file system renames several files at once, so this is done in steps that can be done again. The new files are written into a
/// folder of their own. Its renaming to <see cref="Written"/> decides: before it the old model counts, from then on the new one. Then
/// config.json or adapter_config.json goes, without which no program takes the directory for a model, and the other old files; the folder
/// becomes <see cref="Placing"/>; its files are moved into the directory, those two last. Whoever next loads or saves finishes what was
/// interrupted, and two that do so at once do no harm: no step removes a file of the new model.
/// </remarks>
internal static class SavedModel
{
    internal const string Writing = ".reward-model-writing";
    internal const string Written = ".reward-model-written";
    internal const string Placing = ".reward-model-placing";

    // Of a model, and of an adapter.
    private static readonly string[] configs = [HuggingFaceConfig.FileName, CheckpointLayout.AdapterConfigFile];

    /// <summary>The folder that <see cref="Replace"/> gives to whoever writes the new files.</summary>
    public static string PendingIn(string directory) => Path.Combine(directory, Writing);

    /// <summary>Replaces the model in a directory; files that belong to no model stay.</summary>
    /// <param name="directory">Is created where it is missing.</param>
    /// <param name="write">Writes all files of the new model, down to the disk, into the directory that it is given.</param>
    /// <exception cref="CheckpointException">The directory can't be made or written to.</exception>
    public static void Replace(string directory, Action<string> write)
    {
        CheckpointLayout.CreateDirectory(directory);
        var writing = PendingIn(directory);
        try
        {
            Finish(directory);
            if (Directory.Exists(writing))
                Directory.Delete(writing, recursive: true);
            Directory.CreateDirectory(writing);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                directory, [$"the directory can't be written to: {e.Message.TrimEnd('.')}"], "Use a directory that you can write to.", e);
        }
        write(writing);
        Directory.Move(writing, Path.Combine(directory, Written));
        Finish(directory);
    }

    /// <summary>Finishes a replacement that was decided but interrupted.</summary>
    public static void Finish(string directory)
    {
        var written = Path.Combine(directory, Written);
        var placing = Path.Combine(directory, Placing);
        Place(placing, directory);
        if (!IsFolder(written))
            return;
        foreach (var config in configs)
            MoveIfThere(Path.Combine(directory, config), Path.Combine(written, $"{config}.old"));
        foreach (var file in Directory.EnumerateFiles(directory))
            if (IsModelFile(Path.GetFileName(file)) && !File.Exists(Path.Combine(written, Path.GetFileName(file))))
                File.Delete(file);
        try
        {
            Directory.Move(written, placing);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process was quicker.
        }
        Place(placing, directory);
    }

    private static bool IsModelFile(string name) =>
        name is ScoringRule.FileName or CheckpointLayout.AdapterFile || configs.Contains(name) || CheckpointLayout.IsWeightFile(name)
        || TokenizerDirectory.FileNames.Contains(name);

    private static void Place(string placing, string directory)
    {
        if (!IsFolder(placing))
            return;
        try
        {
            var names = Directory.EnumerateFiles(placing).Select(path => Path.GetFileName(path)).Where(IsModelFile)
                .OrderBy(configs.Contains).ToArray();
            foreach (var name in names)
                MoveIfThere(Path.Combine(placing, name), Path.Combine(directory, name));
            Directory.Delete(placing, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process was quicker.
        }
    }

    // A link could make us move files of another place into a checkpoint that comes from a stranger.
    private static bool IsFolder(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    private static void MoveIfThere(string source, string target)
    {
        try
        {
            File.Move(source, target, overwrite: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Moved already, before an interruption or by another process.
        }
    }
}
