using System.Diagnostics.CodeAnalysis;
using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Files;

namespace RewardModel.Scoring;

public sealed partial class RewardTransformer
{
    private ModelAdapter? modelAdapter;

    /// <summary>
    /// The low-rank adapters of the model's layers, as <see cref="AddAdapter"/> was given them or as an adapter's config says; null where
    /// it has none. Single layers of an adapter that another program made may have a rank and an alpha of their own.
    /// </summary>
    public LoraOptions? Adapter => modelAdapter?.Options;

    /// <summary>
    /// The directory that the weights were loaded from, or saved in last; of a model with an adapter that of its base model. Null where no
    /// directory holds them.
    /// </summary>
    internal string? BaseDirectory { get; set; }

    /// <summary>The adapters and what belongs to them.</summary>
    internal ModelAdapter? ModelAdapter => modelAdapter;

    /// <summary>
    /// Adds low-rank adapters (LoRA, arXiv 2106.09685) to the model's layers, which score as before until they are trained. Afterwards
    /// <see cref="TrainedParameters"/> are the adapters, the head, and what the options name; everything else is frozen.
    /// <see cref="ScoringModel.Save"/> then writes the adapter alone.
    /// </summary>
    /// <param name="options">What the adapters are.</param>
    /// <param name="seed">Seed of their weights.</param>
    /// <exception cref="ArgumentException">
    /// The options can't be used, name layers or modules that don't exist (those that do are listed), or the model has an adapter.
    /// </exception>
    /// <exception cref="ArgumentNullException">The options are null.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    public void AddAdapter(LoraOptions options, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        if (modelAdapter is not null)
            throw new ArgumentException(
                $"The model has an adapter of rank {Adapter!.Rank} already. Train that one, or merge it first (MergeAdapter).", nameof(options));
        Attach(options, ModelAdapter.LayersFor(this, options));
        modelAdapter!.Initialize(seed);
    }

    /// <summary>
    /// Adds the adapters' products to the weights of their layers and takes the adapters away: the same rewards but for rounding, and a
    /// model like any other, of which everything is trained. Without an adapter nothing happens.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    /// <exception cref="InvalidOperationException">Weights are stored in fewer bits, which a sum doesn't fit into.</exception>
    public void MergeAdapter()
    {
        ThrowIfDisposed();
        if (modelAdapter is null)
            return;
        if (FrozenWeights is { } frozen)
            throw new InvalidOperationException(
                $"The adapter can't be merged into weights that are stored as {frozen.Storage}. Load the model without that, or merge it on disk "
                + "(reward-model export --merge).");
        modelAdapter.Merge();
        modelAdapter = null;
        BaseDirectory = null;
        Freeze(null);
    }

    /// <summary>Takes the adapters away as if they had never been there; everything is trained then.</summary>
    internal void RemoveAdapter()
    {
        modelAdapter?.Remove();
        modelAdapter = null;
        Freeze(null);
    }

    /// <summary>Attaches adapters whose numbers are to be set.</summary>
    internal void Attach(LoraOptions options, IReadOnlyList<(string Name, int Rank, double Alpha)> layers) =>
        modelAdapter = new ModelAdapter(this, options, layers);

    /// <summary>The config of a directory's adapter, if it has one, and the directory of the weights.</summary>
    /// <param name="directory">Of a model or of an adapter.</param>
    /// <param name="baseDirectory">As the user gave it; afterwards where the weights are.</param>
    internal static AdapterConfig? AdapterOf(string directory, [NotNull] ref string? baseDirectory)
    {
        var adapter = AdapterConfig.IsIn(directory) ? AdapterConfig.Read(directory) : null;
        if (adapter is null && baseDirectory is not null)
            throw new CheckpointException(
                directory, [$"there is no {CheckpointLayout.AdapterConfigFile}, so this is no adapter that would need a base model"],
                "Give a base model (--base-model, baseDirectory) with an adapter only.");
        baseDirectory = adapter is null ? directory : AdapterBase.Find(directory, adapter, baseDirectory);
        return adapter;
    }

    /// <summary>Whether the head came with an adapter, so that nothing which belongs to the base model's head counts.</summary>
    internal bool HasHeadOfAdapter { get; set; }

    private void LoadAdapter(string directory, AdapterConfig config, List<string> absent, ref RewardNormalizer normalizer)
    {
        using var reader = CheckpointReader.OpenAdapter(directory);
        var loading = AdapterLoading.Match(reader, config, directory, this);
        loading.CopyValues();
        absent.RemoveAll(loading.HeadNames.Contains);
        if (!HasHeadOfAdapter)
            return;
        if (absent.Count > 0)
            throw new CheckpointException(
                directory,
                [.. absent.Select(name => $"tensor {Quoted.Text(name)} is neither in the adapter nor in its base model; expected the whole head")],
                "Save the adapter with all modules of its head in modules_to_save.");
        normalizer = loading.ReadNormalizer();
        HasNewHead = false;
    }
}
