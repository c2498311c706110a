using System.Security.Cryptography;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Kernels;
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

    /// <summary>Of blocks, on libtorch's threads, and of the blocks' digests.</summary>
    /// <param name="values">Contiguous, on the CPU, as they were read.</param>
    private static unsafe string Digest(Tensor values)
    {
        const int blockBytes = 1 << 22;
        var data = (byte*)LibTorch.DataOf(values);
        var length = values.numel() * values.element_size();
        var digests = new byte[checked((int)((length + blockBytes - 1) / blockBytes)) * SHA256.HashSizeInBytes];
        TorchThreads.Run(digests.Length / SHA256.HashSizeInBytes, block =>
        {
            var start = (long)block * blockBytes;
            SHA256.HashData(
                new ReadOnlySpan<byte>(data + start, (int)Math.Min(blockBytes, length - start)),
                digests.AsSpan(block * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes));
        });
        return Convert.ToHexString(SHA256.HashData([(byte)values.dtype, .. BitConverter.GetBytes(length), .. digests]));
    }
}
