using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Training.Runs;

/// <summary>A part of a directory that was looked at: the model, or a saved step of its run.</summary>
/// <param name="Name">What it is, such as <c>state of step 40</c>.</param>
/// <param name="Problems">What is wrong with it, one sentence each without a full stop; none where its files are as they were saved.</param>
/// <param name="IsProven">
/// Whether there were sizes and checksums to compare with. Without, as for models of other programs, only the form of the files was looked at.
/// </param>
public sealed record VerifiedPart(string Name, IReadOnlyList<string> Problems, bool IsProven);

/// <summary>Compares the files of models and runs with the sizes and checksums (XXH128) that were saved with them.</summary>
public static class SavedFiles
{
    /// <summary>Looks at a model's directory, a run's, or both in one. Nothing is changed.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="checksValues">Whether every weight is read as a number, too, to find those that are not finite.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The model, where there is one, and each saved step of the run.</returns>
    /// <exception cref="CheckpointException">The directory holds neither a model nor a run.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlyList<VerifiedPart> Verify(string directory, bool checksValues = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var parts = new List<VerifiedPart>();
        if (FolderFile.Exists(directory, HuggingFaceConfig.FileName) || AdapterConfig.IsIn(directory))
            parts.Add(OfModel(directory, checksValues, cancellation));
        var run = new RunDirectory(directory);
        foreach (var (name, saved, step) in run.SavedSteps)
        {
            cancellation.ThrowIfCancellationRequested();
            List<string> problems = [.. SavedSteps.ProblemsOf(saved, cancellation: cancellation)];
            if (checksValues && problems.Count == 0)
                foreach (var folder in Directory.EnumerateDirectories(saved).DefaultIfEmpty(saved).Order(StringComparer.Ordinal))
                    problems.AddRange(NotFinite(folder, cancellation));
            parts.Add(new VerifiedPart($"{name} of step {step}", problems, IsProven: true));
        }
        return parts.Count > 0 ? parts : throw CheckpointLayout.Incomplete(
            directory, $"there is no {HuggingFaceConfig.FileName}, and no saved step of a training run",
            "Expected the directory of a model or of a training run.");
    }

    private static VerifiedPart OfModel(string directory, bool checksValues, CancellationToken cancellation)
    {
        var problems = new List<string>();
        var isProven = FolderFile.Exists(directory, SavedModel.ManifestFile);
        try
        {
            if (Directory.Exists(Path.Combine(directory, FolderFile.Written)) || Directory.Exists(Path.Combine(directory, FolderFile.Placing)))
                problems.Add(
                    "the saving of the model was interrupted: its files are whole, but not in their places; resume the run, or save the model again");
            if (isProven)
            {
                var manifest = FileManifest.Read(directory, SavedModel.ManifestFile);
                problems.AddRange(manifest.ProblemsOf(directory, cancellation: cancellation));
                problems.AddRange(
                    FolderFile.Names(directory).Where(name => SavedModel.IsModelFile(name) && name != SavedModel.ManifestFile)
                        .Except(manifest.Files.Select(file => file.Name)).Select(name => $"{name} was not saved with the model"));
            }
            if (problems.Count == 0)
                problems.AddRange(ModelInspection.Of(directory).Problems);
            if (checksValues && problems.Count == 0)
                problems.AddRange(NotFinite(directory, cancellation));
        }
        catch (IOException exception)
        {
            problems.Add(exception.Message.TrimEnd('.'));
        }
        return new VerifiedPart(AdapterConfig.IsIn(directory) ? "adapter" : "model", problems, isProven);
    }

    private static IEnumerable<string> NotFinite(string directory, CancellationToken cancellation)
    {
        using var reader = AdapterConfig.IsIn(directory) ? CheckpointReader.OpenAdapter(directory) : CheckpointReader.Open(directory);
        foreach (var name in reader.Names)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var values = reader.Read(name);
            if (values.is_floating_point() && FiniteNumbers.CountOfOthersIn(values) is > 0 and var count)
                yield return $"{count} of the {values.numel()} numbers of {Quoted.Text(name)} in '{directory}' are not finite";
        }
    }
}
