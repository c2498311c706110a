using System.Text.Json;
using RewardModel.Distributed;
using RewardModel.Files;
using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>A tensor to be written to a checkpoint, which is there only while it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Read">Gives it, on any device; the writer disposes of it.</param>
internal sealed record WeightSource(string Name, long[] Shape, Func<Tensor> Read)
{
    /// <summary>Index of the first element that is read here; the others are other ranks'.</summary>
    public long First { get; init; }

    /// <summary>How many elements are read here. Unless set, all of them.</summary>
    public long Count { get; init; } = Shape.Aggregate(1L, (product, size) => product * size);
}

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
    /// <returns>What the files are; nothing on other ranks than the first.</returns>
    /// <exception cref="CheckpointException">The directory can't be made.</exception>
    /// <exception cref="ArgumentException">A name twice, or a tensor of a type that safetensors files don't have.</exception>
    public static IReadOnlyList<ManifestFile> Write(
        string directory, IEnumerable<(string Name, Tensor Tensor)> tensors, long maxShardBytes = DefaultMaxShardBytes,
        ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        return Write(
            directory, [.. tensors.Select(tensor => Source(tensor.Name, tensor.Tensor, dtype ?? tensor.Tensor.dtype))], maxShardBytes,
            SingleProcess.Instance);
    }

    /// <summary>The same of tensors that ranks share: each writes its parts into the same files, whose bytes don't depend on the ranks.</summary>
    /// <param name="directory">Is created where it is missing; the same for all ranks.</param>
    /// <param name="parts">This rank's part of every tensor, in the same order on every rank.</param>
    /// <param name="ranks">All of which call this.</param>
    /// <exception cref="CheckpointException">The directory can't be made.</exception>
    public static IReadOnlyList<ManifestFile> WriteParts(string directory, IEnumerable<TensorPart> parts, ICollective ranks)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(parts);
        return Write(
            directory,
            [.. parts.Select(part => Source(
                new WeightSource(part.Name, part.Shape, part.Tensor.alias) { First = part.First, Count = part.Tensor.numel() },
                part.Tensor.dtype))],
            DefaultMaxShardBytes, ranks);
    }

    /// <summary>The same of tensors that are asked for one at a time.</summary>
    /// <inheritdoc cref="Write(string, IEnumerable{ValueTuple{string, Tensor}}, long, ScalarType?)"/>
    public static IReadOnlyList<ManifestFile> WriteEach(
        string directory, IEnumerable<WeightSource> tensors, ScalarType dtype, ICollective ranks, long maxShardBytes = DefaultMaxShardBytes)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        return Write(directory, [.. tensors.Select(tensor => Source(tensor, dtype))], maxShardBytes, ranks);
    }

    private static List<ManifestFile> Write(string directory, IReadOnlyList<SafetensorsSource> sources, long maxShardBytes, ICollective ranks)
    {
        SafetensorsWriter.CheckNamesAndShapes(sources);
        var isFirst = ranks.Rank == 0;
        if (isFirst)
            CheckpointLayout.CreateDirectory(directory);

        var shards = Split(sources, maxShardBytes);
        string[] names = shards.Count == 1
            ? [CheckpointLayout.SingleFile]
            : [.. shards.Select((_, i) => CheckpointLayout.ShardFile(i + 1, shards.Count)), CheckpointLayout.IndexFile];
        var files = new List<PendingFile>();
        var written = new List<ManifestFile>();
        try
        {
            if (isFirst)
                files.AddRange(names.Select(name => new PendingFile(Path.Combine(directory, name), isShared: ranks.Size > 1)));
            if (ranks.Size > 1)
                ranks.Gather([], $"files of weights in '{directory}' that are to be written");
            if (!isFirst)
                files.AddRange(shards.Zip(names).Select(shard => PendingFile.OfAnother(Path.Combine(directory, shard.Second))));
            foreach (var (file, shard) in files.Zip(shards))
            {
                SafetensorsWriter.Write(file.Content, shard, writesHeader: isFirst);
                file.Flush();
            }
            if (isFirst && shards.Count > 1)
                files[^1].Content.Write(System.Text.Encoding.UTF8.GetBytes(IndexText(shards, names)));
            var runs = RunsOfAllRanks(files, ranks, directory);
            if (!isFirst)
                return [];
            foreach (var (file, name, own) in files.Zip(names, runs))
            {
                written.Add(ManifestFile.Of(name, own.Sum(run => run.Length), own));
                file.Commit();
            }
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
        foreach (var name in FolderFile.Names(directory))
            if (CheckpointLayout.IsWeightFile(name) && !names.Contains(name))
                Disk.Delete(Path.Combine(directory, name));
        return written;
    }

    /// <summary>Of each file the runs of bytes that all ranks have written, when all of them have.</summary>
    private static List<FileRun>[] RunsOfAllRanks(List<PendingFile> files, ICollective ranks, string directory)
    {
        FileRun[][] own = [.. files.Select(file => file.Runs.ToArray())];
        if (ranks.Size == 1)
            return [.. own.Select(runs => runs.ToList())];
        var all = ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(own), $"all ranks' parts of the weights in '{directory}'")
            .Select(bytes => JsonSerializer.Deserialize<FileRun[][]>(bytes)!).ToArray();
        return [.. files.Select((_, i) => all.SelectMany(rank => rank.ElementAtOrDefault(i) ?? []).ToList())];
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
        })
        {
            First = tensor.First,
            Count = tensor.Count,
        };

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
