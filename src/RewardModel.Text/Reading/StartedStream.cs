namespace RewardModel.Reading;

/// <summary>A stream whose first bytes were read before, with these bytes at its start again. Does not own the stream.</summary>
/// <param name="start">The bytes that were read.</param>
/// <param name="rest">What they were read from.</param>
internal sealed class StartedStream(byte[] start, Stream rest) : ReadOnlyStream
{
    /// <summary>Enough to tell what a file is.</summary>
    private const int StartLength = 4096;

    private int position;

    /// <summary>The first bytes of a stream; fewer than enough only where there are no more.</summary>
    public static byte[] StartOf(Stream stream)
    {
        var start = new byte[StartLength];
        return start[..stream.ReadAtLeast(start, StartLength, throwOnEndOfStream: false)];
    }

    public override int Read(Span<byte> buffer)
    {
        if (position == start.Length)
            return rest.Read(buffer);
        var count = Math.Min(buffer.Length, start.Length - position);
        start.AsSpan(position, count).CopyTo(buffer);
        position += count;
        return count;
    }
}
