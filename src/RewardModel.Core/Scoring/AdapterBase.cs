using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Files;

namespace RewardModel.Scoring;

/// <summary>Where the model lies that an adapter changes.</summary>
internal static class AdapterBase
{
    /// <summary>The directory of an adapter's base model.</summary>
    /// <param name="directory">The adapter's.</param>
    /// <param name="config">Its config, which names the base model: a path, absolute or from either directory, or a name on the hub.</param>
    /// <param name="given">Where the user says that it lies; null: where the config says.</param>
    /// <exception cref="CheckpointException">It is not there, or there are other weights beside the adapter.</exception>
    public static string Find(string directory, AdapterConfig config, string? given)
    {
        const string advice = "Give its directory: --base-model DIR on the command line, baseDirectory in code.";
        var name = given ?? config.BaseModel ?? throw new CheckpointException(
            directory, [$"{CheckpointLayout.AdapterConfigFile} has no base_model_name_or_path, so the adapter's base model is not known"], advice);
        // A path of another machine: looking there would tell it who looks.
        if (given is null && (name.StartsWith(@"\\", StringComparison.Ordinal) || name.StartsWith("//", StringComparison.Ordinal)))
            throw new CheckpointException(directory, [$"the adapter's base model is {Quoted.Text(name)}, a place on a network"], advice);
        var found = (given is null ? new[] { Path.Combine(directory, name), name } : [name]).FirstOrDefault(Directory.Exists)
            ?? throw new CheckpointException(
                directory, [$"the adapter's base model is {Quoted.Text(name)}, and there is no such directory"],
                advice + CheckpointLayout.HubAdvice(name));
        if (!IsSame(found, directory))
        {
            CheckpointLayout.CheckNoAdapter(directory);
            if (AdapterConfig.IsIn(found))
                throw new CheckpointException(
                    directory, [$"the adapter's base model is {Quoted.Text(found)}, which is an adapter itself; expected a whole model"],
                    "Merge that one first: reward-model export --merge.");
        }
        return found;
    }

    /// <summary>Whether two paths are one directory.</summary>
    public static bool IsSame(string left, string right) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(left)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(right));
}
