using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using RewardModel.Files;

namespace RewardModel.Training.Data;

/// <summary>Digests of files' bytes: of blocks, by all processors at once, and of the blocks' digests. Little is in memory at a time.</summary>
internal static class ContentDigest
{
    private const int blockLength = 1 << 22;

    /// <summary>The digest of some files' bytes, in their order; not of their names.</summary>
    /// <param name="paths">Files that can be read anywhere: no pipes.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>32 hexadecimal digits.</returns>
    public static string Of(IEnumerable<string> paths, CancellationToken cancellation = default)
    {
        UInt128[] digests = [.. paths.Select(path =>
        {
            using var file = InputFile.OpenHandle(path, FileKind.Data);
            return Of(file, RandomAccess.GetLength(file), cancellation);
        })];
        return Of(digests).ToString("x32");
    }

    /// <summary>The digest of a file's beginning.</summary>
    /// <exception cref="EndOfStreamException">The file is shorter.</exception>
    public static UInt128 Of(SafeFileHandle file, long length, CancellationToken cancellation = default)
    {
        // The length stands last, in a place of its own.
        var digests = new UInt128[(length + blockLength - 1) / blockLength + 1];
        digests[^1] = (UInt128)length;
        Parallel.For(0, digests.Length - 1, new ParallelOptions { CancellationToken = cancellation }, block =>
        {
            var buffer = ArrayPool<byte>.Shared.Rent(blockLength);
            var bytes = buffer.AsSpan(0, (int)Math.Min(blockLength, length - (long)block * blockLength));
            Read(file, bytes, (long)block * blockLength);
            digests[block] = XxHash128.HashToUInt128(bytes);
            ArrayPool<byte>.Shared.Return(buffer);
        });
        return Of(digests);
    }

    private static UInt128 Of(UInt128[] digests) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes<UInt128>(digests));

    /// <summary>Reads bytes of a file.</summary>
    /// <exception cref="EndOfStreamException">It ends before them.</exception>
    public static void Read(SafeFileHandle file, Span<byte> bytes, long position)
    {
        for (var done = 0; done < bytes.Length;)
        {
            var count = RandomAccess.Read(file, bytes[done..], position + done);
            if (count == 0)
                throw new EndOfStreamException("A file became shorter while it was read; expected one that nothing writes to.");
            done += count;
        }
    }
}
