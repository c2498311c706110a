using System.Security.Cryptography;
using RewardModel.Checkpoints;
using RewardModel.Files;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// The values that stored weights had in the checkpoint they were loaded from: a model is saved with these, which are read again, and not with
/// the rounded ones.
/// </summary>
/// <param name="directory">The checkpoint's.</param>
internal sealed class OriginalWeights(string directory)
{
    private const string advice =
        "Restore the checkpoint that the model was loaded from: its frozen weights are saved with the model. A training run can be continued "
        + "with --resume afterwards, or exported.";

    private readonly string directory = Path.GetFullPath(directory);
    private readonly Dictionary<string, (string Source, string Digest)> tensors = [];

    /// <summary>Whether a parameter is stored.</summary>
    /// <param name="name">In checkpoints that the model is saved to.</param>
    public bool Contains(string name) => tensors.ContainsKey(name);

    /// <summary>Digest of a parameter's values and their type in the checkpoint.</summary>
    public string DigestOf(string name) => tensors[name].Digest;

    /// <summary>Remembers a parameter.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="source">The tensor's name in the checkpoint.</param>
    /// <param name="values">What was read.</param>
    public void Add(string name, string source, Tensor values) => tensors.Add(name, (source, Digest(values)));

    /// <summary>Opens the checkpoint again.</summary>
    /// <exception cref="CheckpointException">It can't be read any more.</exception>
    public CheckpointReader Open() => CheckpointReader.Open(directory);

    /// <summary>A parameter's values, in the type that they were read in; the caller's.</summary>
    /// <exception cref="CheckpointException">They are not what they were.</exception>
    public Tensor Read(CheckpointReader reader, string name)
    {
        var (source, digest) = tensors[name];
        var values = reader.Read(source);
        if (Digest(values) == digest)
            return values;
        values.Dispose();
        throw new CheckpointException(directory, [$"tensor {Quoted.Text(source)} is not what it was when the model was loaded"], advice);
    }

    private static string Digest(Tensor values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([(byte)values.dtype]);
        TensorBytes.Read(values, piece => hash.AppendData(piece));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
