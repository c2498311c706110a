using System.Runtime.InteropServices;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Checkpoints;

/// <summary>Tensors to and from the bytes of safetensors files.</summary>
internal static class TensorBytes
{
    // Tensor.bytes is a span, which cannot be longer than 2^31 - 1.
    private const long MaxChunkBytes = 1L << 30;

    // With their results a megabyte and a half in types of 16 bits.
    private const int NumbersAtOnce = 1 << 18;

    /// <summary>What a thread reads at once of bytes that are taken as they are.</summary>
    private const int PartBytes = 1 << 20;

    [ThreadStatic]
    private static byte[]? buffer;

    /// <summary>A new CPU tensor with a file's values, read on libtorch's threads, which the caller disposes.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">One of the file's entries.</param>
    /// <param name="dtype">The type to convert to; null for the file's own.</param>
    /// <param name="partBytes">How much is read at once.</param>
    public static unsafe Tensor Read(SafetensorsFile file, SafetensorsEntry entry, ScalarType? dtype, int partBytes = PartBytes)
    {
        using var scope = NewDisposeScope();
        var tensor = empty(entry.Shape, ToScalarType(entry.Type));
        var data = (byte*)LibTorch.DataOf(tensor);
        var length = tensor.numel() * tensor.element_size();
        TorchThreads.Run(checked((int)((length + partBytes - 1) / partBytes)), part =>
        {
            var start = (long)part * partBytes;
            file.Read(entry, start, new Span<byte>(data + start, (int)Math.Min(partBytes, length - start)));
        });
        var result = dtype is { } type && type != tensor.dtype ? tensor.to(type) : tensor;
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Sets a tensor to some of a file's values.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">One of the file's entries.</param>
    /// <param name="first">Index of the first element that is read.</param>
    /// <param name="target">Gets as many elements as it has; contiguous, of any type, on any device.</param>
    /// <param name="maxChunkBytes">How much is copied at once.</param>
    public static void Read(
        SafetensorsFile file, SafetensorsEntry entry, long first, Tensor target, long maxChunkBytes = MaxChunkBytes)
    {
        // Views, which would keep the target's memory.
        using var chunks = NewDisposeScope();
        foreach (var (start, chunk) in Chunks(target, maxChunkBytes))
        {
            using var scope = NewDisposeScope();
            var values = empty(chunk.numel(), ToScalarType(entry.Type));
            file.Read(entry, (first + start / target.element_size()) * entry.Type.Size(), values.bytes);
            chunk.copy_(values);
        }
    }

    /// <summary>
    /// Sets a tensor to all of a file's values: on libtorch's threads, a cache's worth at a time, so that values pass through memory once, and
    /// that of the tensor is the only one that is needed.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">One of the file's entries, of a type that <see cref="FloatBytes"/> takes.</param>
    /// <param name="target">float32 on the CPU, contiguous, with as many elements.</param>
    /// <returns>Whether all are finite.</returns>
    public static unsafe bool ReadSingles(SafetensorsFile file, SafetensorsEntry entry, Tensor target)
    {
        var (type, size, count) = (ToScalarType(entry.Type), entry.Type.Size(), target.numel());
        var data = (float*)LibTorch.DataOf(target);
        var isFinite = true;
        TorchThreads.Run(checked((int)((count + NumbersAtOnce - 1) / NumbersAtOnce)), part =>
        {
            var first = (long)part * NumbersAtOnce;
            var results = new Span<float>(data + first, (int)Math.Min(NumbersAtOnce, count - first));
            var bytes = type == ScalarType.Float32 ? MemoryMarshal.AsBytes(results) : Buffer(results.Length * size);
            file.Read(entry, first * size, bytes);
            if (!FloatBytes.ToSingles(type, bytes, results))
                Volatile.Write(ref isFinite, false);
        });
        return isFinite;
    }

    private static Span<byte> Buffer(int length) => (buffer ??= new byte[NumbersAtOnce * sizeof(ushort)]).AsSpan(0, length);

    /// <summary>Writes a tensor's values in row-major order; it may lie on any device and in any strides.</summary>
    public static void Write(Tensor tensor, Stream stream, long maxChunkBytes = MaxChunkBytes)
    {
        using var scope = NewDisposeScope();
        foreach (var (_, chunk) in Chunks(tensor.detach().cpu().contiguous(), maxChunkBytes))
            stream.Write(chunk.bytes);
    }

    public static ScalarType ToScalarType(SafetensorsType type) => type switch
    {
        SafetensorsType.F64 => ScalarType.Float64,
        SafetensorsType.F32 => ScalarType.Float32,
        SafetensorsType.F16 => ScalarType.Float16,
        SafetensorsType.BF16 => ScalarType.BFloat16,
        SafetensorsType.I64 => ScalarType.Int64,
        SafetensorsType.I32 => ScalarType.Int32,
        SafetensorsType.I16 => ScalarType.Int16,
        SafetensorsType.I8 => ScalarType.Int8,
        SafetensorsType.U8 => ScalarType.Byte,
        SafetensorsType.BOOL => ScalarType.Bool,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type of safetensors files"),
    };

    public static SafetensorsType ToSafetensorsType(ScalarType type)
    {
        foreach (var candidate in Enum.GetValues<SafetensorsType>())
            if (ToScalarType(candidate) == type)
                return candidate;
        throw new ArgumentException($"tensors of type {type} cannot be written; convert them to one of "
            + string.Join(", ", Enum.GetValues<SafetensorsType>().Select(ToScalarType)), nameof(type));
    }

    private static IEnumerable<(long Start, Tensor Chunk)> Chunks(Tensor contiguous, long maxChunkBytes)
    {
        var flat = contiguous.view(-1);
        var chunkCount = maxChunkBytes / flat.element_size();
        for (long first = 0; first < flat.numel(); first += chunkCount)
            yield return (first * flat.element_size(), flat.narrow(0, first, Math.Min(chunkCount, flat.numel() - first)));
    }
}
