using RewardModel.Files;

namespace RewardModel.Training.Reporting;

/// <summary>The lines of a file, one after the other, as bytes: little of it is in memory, and it may be being written.</summary>
internal static class LogLines
{
    /// <summary>Reads the lines of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Each without its line break, the rest behind the last one too. It is valid until the next one is asked for.</returns>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(string path)
    {
        using var file = InputFile.Open(path, FileKind.Log);
        var buffer = new byte[1 << 16];
        var (start, end) = (0, 0);
        while (true)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
                Array.Resize(ref buffer, 2 * buffer.Length);
            var count = file.Read(buffer, end, buffer.Length - end);
            if (count == 0)
                break;
            for (end += count; buffer.AsSpan(start, end - start).IndexOf((byte)'\n') is >= 0 and var length; start += length + 1)
                yield return buffer.AsMemory(start, length);
        }
        if (end > 0)
            yield return buffer.AsMemory(0, end);
    }
}
