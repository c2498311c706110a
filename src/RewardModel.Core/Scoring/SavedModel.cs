using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Scoring;

/// <summary>
/// Replaces the files of a model in a directory all together, so that whenever the process ends the old model is there or the new one.
/// </summary>
/// <remarks>
/// No file system renames several files at once, so this is done in steps that can be done again. The new files are written into a
/// folder of their own. Its renaming to <see cref="FolderFile.Written"/> decides: before it the old model counts, from then on the new one. Then
/// config.json or adapter_config.json goes, without which no program takes the directory for a model, and the other old files; the folder
/// becomes <see cref="FolderFile.Placing"/>; its files are moved into the directory, those two last. Whoever next saves finishes what was
/// interrupted, and two that do so at once do no harm: no step removes a file of the new model. Who only reads changes nothing, as the
/// directory may be a stranger's: <see cref="FolderFile.PathOf"/> finds the new files where they are.
/// </remarks>
internal static class SavedModel
{
    internal const string Writing = ".reward-model-writing";

    /// <summary>The sizes and checksums of a model's files.</summary>
    internal const string ManifestFile = "reward_model_manifest.json";

    // Of a model, and of an adapter.
    private static readonly string[] configs = [HuggingFaceConfig.FileName, CheckpointLayout.AdapterConfigFile];

    /// <summary>The folder that <see cref="Replace"/> gives to whoever writes the new files.</summary>
    public static string PendingIn(string directory) => Path.Combine(directory, Writing);

    /// <summary>Replaces the model in a directory; files that belong to no model stay.</summary>
    /// <param name="directory">Is created where it is missing.</param>
    /// <param name="write">
    /// Writes all files of the new model, down to the disk, into the directory that it is given, and says what the weights are.
    /// </param>
    /// <exception cref="CheckpointException">The directory can't be made or written to.</exception>
    public static void Replace(string directory, Func<string, IReadOnlyList<ManifestFile>> write)
    {
        CheckpointLayout.CreateDirectory(directory);
        var writing = PendingIn(directory);
        try
        {
            Finish(directory);
            if (Directory.Exists(writing))
                Disk.DeleteDirectory(writing);
            Disk.CreateDirectory(writing);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                directory, [$"the directory can't be written to: {e.Message.TrimEnd('.')}"], "Use a directory that you can write to.", e);
        }
        var weights = write(writing);
        WriteManifest(writing, weights);
        Disk.MoveDirectory(writing, Path.Combine(directory, FolderFile.Written));
        Disk.SyncDirectory(directory);
        Finish(directory);
    }

    /// <summary>Replaces one of a model's files.</summary>
    /// <param name="directory">The model's.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="write">Writes it.</param>
    public static void Change(string directory, string name, Action write)
    {
        Finish(directory);
        write();
        if (!FolderFile.Exists(directory, ManifestFile))
            return;
        // What is said of the other files stays: they may be damaged.
        var others = FileManifest.Read(directory, ManifestFile).Files.Where(file => file.Name != name);
        new FileManifest([.. others, FileManifest.Of(directory, name)]).Write(Path.Combine(directory, ManifestFile));
    }

    /// <summary>Finishes a replacement that was decided but interrupted.</summary>
    public static void Finish(string directory)
    {
        var written = Path.Combine(directory, FolderFile.Written);
        var placing = Path.Combine(directory, FolderFile.Placing);
        Place(placing, directory);
        if (!FolderFile.IsFolder(written))
            return;
        foreach (var config in configs)
            MoveIfThere(Path.Combine(directory, config), Path.Combine(written, $"{config}.old"));
        foreach (var name in FolderFile.Names(directory))
            if (IsModelFile(name) && !File.Exists(Path.Combine(written, name)))
                Disk.Delete(Path.Combine(directory, name));
        try
        {
            Disk.MoveDirectory(written, placing);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process was quicker.
        }
        Place(placing, directory);
    }

    /// <summary>Whether a file of this name is part of a model.</summary>
    public static bool IsModelFile(string name) =>
        name is ScoringRule.FileName or ManifestFile or CheckpointLayout.AdapterFile || configs.Contains(name) || CheckpointLayout.IsWeightFile(name)
        || TokenizerDirectory.FileNames.Contains(name);

    private static void Place(string placing, string directory)
    {
        if (!FolderFile.IsFolder(placing))
            return;
        try
        {
            var names = FolderFile.Names(placing).Where(IsModelFile).OrderBy(configs.Contains).ToArray();
            foreach (var name in names)
                MoveIfThere(Path.Combine(placing, name), Path.Combine(directory, name));
            Disk.SyncDirectory(directory);
            Disk.DeleteDirectory(placing);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process was quicker.
        }
    }

    private static void WriteManifest(string directory, IEnumerable<ManifestFile> weights)
    {
        ManifestFile[] known = [.. weights];
        new FileManifest(
        [
            .. FolderFile.Names(directory).Where(name => IsModelFile(name) && name != ManifestFile)
                .Select(name => known.FirstOrDefault(file => file.Name == name) ?? FileManifest.Of(directory, name)),
        ]).Write(Path.Combine(directory, ManifestFile));
    }

    private static void MoveIfThere(string source, string target)
    {
        try
        {
            Disk.Move(source, target);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Moved already, before an interruption or by another process.
        }
    }
}
