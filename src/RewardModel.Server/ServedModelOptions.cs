namespace RewardModel.Server;

/// <summary>A model that a server serves.</summary>
public sealed class ServedModelOptions
{
    /// <summary>The name that requests give. Empty, the default: the name of the first directory.</summary>
    public string Name { get; set; } = "";

    /// <summary>
    /// The directory of a trained reward model, as <see cref="Scoring.ScoringModel.Load"/> takes it; or several, of an ensemble, as
    /// <see cref="Scoring.RewardEnsemble.Load"/> takes them. Required.
    /// </summary>
    public IList<string> Directories { get; } = [];

    /// <summary>Directory of the base model where the model is an adapter. Null, the default: where the adapter says.</summary>
    public string? BaseDirectory { get; set; }

    /// <summary>Device: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>. Null, the default: the CPU.</summary>
    public string? Device { get; set; }

    /// <summary>
    /// Whether plain text is read as it is, without the chat template, also where the model was trained on conversations. Default: no.
    /// </summary>
    public bool ReadsTextAsIs { get; set; }

    /// <summary>The name that it is served by.</summary>
    internal string ServedName => Name is { Length: > 0 } ? Name
        : Directories is [{ Length: > 0 } first, ..] ? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(first))) : "";
}
