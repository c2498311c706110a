using RewardModel.Checkpoints;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>Weights of a checkpoint that a model's parameters have no memory for: they are read part by part, by whoever needs which.</summary>
internal sealed class PendingWeights : IDisposable
{
    private readonly CheckpointReader reader;
    private readonly IReadOnlyDictionary<string, string> sources;

    private PendingWeights(CheckpointReader reader, WeightLoading weights)
    {
        this.reader = reader;
        sources = weights.Sources;
        Absent = weights.Absent;
    }

    /// <summary>Names of the head's parameters that the checkpoint doesn't have.</summary>
    public IReadOnlyCollection<string> Absent { get; }

    /// <summary>Matches a checkpoint's tensors with a model's parameters, and takes the reader.</summary>
    /// <exception cref="CheckpointException">The directory can't be used: all reasons are listed.</exception>
    public static PendingWeights Of(CheckpointReader reader, string directory, RewardTransformer model) =>
        new(reader, WeightLoading.Match(reader, directory, model));

    /// <summary>Whether a parameter's values are in the checkpoint; those of others are in the parameter.</summary>
    public bool Contains(string name) => sources.ContainsKey(name);

    /// <summary>Sets a tensor to some of a parameter's values.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <param name="first">Index of the first element.</param>
    /// <param name="target">Gets as many as it has.</param>
    public void Read(string name, long first, Tensor target) => reader.Read(sources[name], first, target);

    /// <summary>Closes the files.</summary>
    public void Dispose() => reader.Dispose();
}
