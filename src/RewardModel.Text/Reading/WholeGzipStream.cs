using System.IO.Compression;

namespace RewardModel.Reading;

/// <summary>What a gzip stream decompresses to, which is an error where it is damaged or cut off.</summary>
/// <remarks>
/// GZipStream takes a file that is cut off for a whole one. So another member is put behind it, which GZipStream comes to only after a
/// whole file: its text must be the end of what it gives, and is taken away.
/// </remarks>
internal sealed class WholeGzipStream : ReadOnlyStream
{
    /// <summary>A text that no UTF-8 file has.</summary>
    private static readonly byte[] mark = [0xff, .. "end"u8];

    private static readonly byte[] markMember = Compress(mark);

    private readonly GZipStream gzip;
    private readonly string path;
    private readonly byte[] buffer = new byte[1 << 16];
    private int first;
    private int end;
    private bool hasEnded;

    /// <param name="compressed">The whole of the file; is not owned.</param>
    /// <param name="path">The file, for messages.</param>
    public WholeGzipStream(Stream compressed, string path)
    {
        this.path = path;
        gzip = new GZipStream(new FollowedStream(compressed, markMember), CompressionMode.Decompress);
    }

    public static bool IsGzip(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]);

    public override int Read(Span<byte> destination)
    {
        while (!hasEnded && end - first <= mark.Length)
            Fill();
        var count = Math.Min(destination.Length, end - first - mark.Length);
        buffer.AsSpan(first, count).CopyTo(destination);
        first += count;
        return count;
    }

    private void Fill()
    {
        buffer.AsSpan(first, end - first).CopyTo(buffer);
        (first, end) = (0, end - first);
        try
        {
            var count = gzip.Read(buffer.AsSpan(end));
            end += count;
            hasEnded = count == 0;
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }
        if (hasEnded && !buffer.AsSpan(first, end - first).SequenceEqual(mark))
            throw Damaged();
    }

    private RankedDataException Damaged(InvalidDataException? exception = null) =>
        new($"{DataPath.Quoted(path)} is damaged gzip, or only the beginning of it. Copy or compress it again.", exception);

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return compressed.ToArray();
    }

    private sealed class FollowedStream(Stream stream, byte[] last) : ReadOnlyStream
    {
        private bool hasEnded;
        private int position;

        public override int Read(Span<byte> buffer)
        {
            if (!hasEnded)
            {
                var read = stream.Read(buffer);
                hasEnded = read == 0 && buffer.Length > 0;
                if (!hasEnded)
                    return read;
            }
            var count = Math.Min(buffer.Length, last.Length - position);
            last.AsSpan(position, count).CopyTo(buffer);
            position += count;
            return count;
        }
    }
}
