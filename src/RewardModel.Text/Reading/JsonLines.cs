using System.IO.Compression;
using System.Text;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>The lines of a UTF-8 file, plain or gzip, without the empty ones.</summary>
internal static class JsonLines
{
    private const int GzipMagic = 0x1f8b;

    /// <summary>A line that no UTF-8 file has.</summary>
    private const string EndMark = "\u00ffend";

    /// <summary>
    /// Goes behind the bytes of a gzip file: GZipStream takes a file that is cut off for a whole one, but it cannot come to this
    /// member then.
    /// </summary>
    private static readonly byte[] endMember = Compress(Encoding.Latin1.GetBytes($"\n{EndMark}"));

    /// <summary>
    /// Reads the lines with their numbers. Escapes of lone surrogates come as escapes of U+FFFD, and with each line the count of them.
    /// </summary>
    /// <exception cref="RankedDataException">The file is not there, or is not the whole gzip file that it should be.</exception>
    public static IEnumerable<(SourceLine Source, ReadOnlyMemory<byte> Utf8, int LoneSurrogateCount)> Read(string path)
    {
        var isGzip = IsGzip(path);
        using var stream = Open(path, isGzip);
        // Latin-1 keeps every byte as it is: so a line that is not UTF-8 is the trouble of that line, not of the file.
        using var reader = new StreamReader(stream, Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        for (var number = 1; NextLine(reader, path) is { } line; number++)
        {
            if (isGzip && line == EndMark)
                yield break;
            Memory<byte> utf8 = Encoding.Latin1.GetBytes(line);
            if (number == 1 && utf8.Span.StartsWith(Encoding.UTF8.Preamble))
                utf8 = utf8[Encoding.UTF8.Preamble.Length..];
            if (number == 1 && ForeignContent.Of(utf8.Span) is { } foreign)
                throw new RankedDataException($"'{path}' is {foreign.What}. {foreign.Advice}");
            if (utf8.Span.ContainsAnyExcept(" \t"u8))
                yield return (new SourceLine(path, number), utf8, LoneSurrogates.Replace(utf8.Span));
        }
        if (isGzip)
            throw Damaged(path);
    }

    private static bool IsGzip(string path)
    {
        if (!File.Exists(path))
            throw new RankedDataException($"'{path}' is not a file, expected JSON lines, plain or gzip. Check the path.");
        using var file = File.OpenRead(path);
        var isGzip = (file.ReadByte() << 8 | file.ReadByte()) == GzipMagic;
        if (!isGzip && path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            throw new RankedDataException($"'{path}' is not gzip, expected it from its name. Compress it, or take .gz off its name.");
        return isGzip;
    }

    private static Stream Open(string path, bool isGzip) => isGzip
        ? new GZipStream(new MemoryStream([.. File.ReadAllBytes(path), .. endMember]), CompressionMode.Decompress)
        : File.OpenRead(path);

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return compressed.ToArray();
    }

    private static string? NextLine(StreamReader reader, string path)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(path, exception);
        }
    }

    private static RankedDataException Damaged(string path, InvalidDataException? exception = null) =>
        new($"'{path}' is damaged gzip, or only the beginning of it. Copy or compress it again.", exception);
}
