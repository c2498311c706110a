using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>A tensor to be written to a checkpoint, which is there only while it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Read">Gives it, on any device; the writer disposes of it.</param>
internal sealed record WeightSource(string Name, long[] Shape, Func<Tensor> Read);

/// <summary>Writes the weights of a checkpoint in the layout of transformers, in one file or in several with an index.</summary>
internal static class CheckpointWriter
{
    /// <summary>The size from which on weights are split into several files: 50 GB, as in save_pretrained of transformers 5.</summary>
    public const long DefaultMaxShardBytes = 50_000_000_000;

    /// <summary>
    /// Writes the weights, replacing those in the directory: everything is written and on disk before the first file is replaced, the
    /// index is replaced after the files that it lists, and files that are no longer needed are removed last.
    /// </summary>
    /// <param name="directory">Is created where it is missing.</param>
    /// <param name="tensors">On any device; read, not disposed. The files take them in this order.</param>
    /// <param name="maxShardBytes">The most bytes of values in one file; a larger tensor gets a file of its own.</param>
    /// <param name="dtype">The type to convert to, one tensor at a time; null: each keeps its own.</param>
    /// <exception cref="CheckpointException">The directory can't be made.</exception>
    /// <exception cref="ArgumentException">A name twice, or a tensor of a type that safetensors files don't have.</exception>
    public static void Write(
        string directory, IEnumerable<(string Name, Tensor Tensor)> tensors, long maxShardBytes = DefaultMaxShardBytes,
        ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        Write(directory, [.. tensors.Select(tensor => Source(tensor.Name, tensor.Tensor, dtype ?? tensor.Tensor.dtype))], maxShardBytes);
    }

    /// <summary>The same of tensors that are asked for one at a time.</summary>
    /// <inheritdoc cref="Write(string, IEnumerable{ValueTuple{string, Tensor}}, long, ScalarType?)"/>
    public static void WriteEach(string directory, IEnumerable<WeightSource> tensors, ScalarType dtype, long maxShardBytes = DefaultMaxShardBytes)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        Write(directory, [.. tensors.Select(tensor => Source(tensor, dtype))], maxShardBytes);
    }

    private static void Write(string directory, IReadOnlyList<SafetensorsSource> sources, long maxShardBytes)
    {
        SafetensorsWriter.CheckNamesAndShapes(sources);
        CheckpointLayout.CreateDirectory(directory);

        var shards = Split(sources, maxShardBytes);
        string[] names = shards.Count == 1
            ? [CheckpointLayout.SingleFile]
            : [.. shards.Select((_, i) => CheckpointLayout.ShardFile(i + 1, shards.Count)), CheckpointLayout.IndexFile];
        var files = new List<PendingFile>();
        try
        {
            foreach (var name in names)
                files.Add(new PendingFile(Path.Combine(directory, name)));
            foreach (var (file, shard) in files.Zip(shards))
            {
                SafetensorsWriter.Write(file.Content, shard);
                file.Flush();
            }
            if (shards.Count > 1)
                files[^1].Content.Write(System.Text.Encoding.UTF8.GetBytes(IndexText(shards, names)));
            files.ForEach(file => file.Commit());
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
        foreach (var path in Directory.EnumerateFiles(directory))
            if (Path.GetFileName(path) is var name && CheckpointLayout.IsWeightFile(name) && !names.Contains(name))
                File.Delete(path);
    }

    /// <summary>Writes the weights of an adapter, replacing those in the directory.</summary>
    public static void WriteAdapter(string directory, IEnumerable<(string Name, Tensor Tensor)> tensors, ScalarType dtype) =>
        SafetensorsWriter.Write(
            Path.Combine(directory, CheckpointLayout.AdapterFile), [.. tensors.Select(tensor => Source(tensor.Name, tensor.Tensor, dtype))]);

    private static SafetensorsSource Source(string name, Tensor tensor, ScalarType dtype) =>
        Source(new WeightSource(name, tensor.shape, tensor.alias), dtype);

    private static SafetensorsSource Source(WeightSource tensor, ScalarType dtype) =>
        new(tensor.Name, TensorBytes.ToSafetensorsType(dtype), tensor.Shape, stream =>
        {
            using var scope = NewDisposeScope();
            TensorBytes.Write(tensor.Read().detach().to(dtype), stream);
        });

    private static List<List<SafetensorsSource>> Split(IEnumerable<SafetensorsSource> sources, long maxShardBytes)
    {
        var shards = new List<List<SafetensorsSource>> { new() };
        long shardBytes = 0;
        foreach (var source in sources)
        {
            var bytes = source.Type.ByteCount(source.Shape);
            if (shards[^1].Count > 0 && shardBytes + bytes > maxShardBytes)
            {
                shards.Add([]);
                shardBytes = 0;
            }
            shards[^1].Add(source);
            shardBytes += bytes;
        }
        return shards;
    }

    private static string IndexText(List<List<SafetensorsSource>> shards, string[] names) =>
        CheckpointIndex.Text(
            shards.Zip(names).SelectMany(pair => pair.First.Select(source => (source.Name, File: pair.Second)))
                .ToDictionary(tensor => tensor.Name, tensor => tensor.File),
            shards.Sum(shard => shard.Sum(source => source.Type.ByteCount(source.Shape))));
}
