using System.Text;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>
/// The lines of a UTF-8 file or of standard input, plain or gzip, without the empty ones; or the items of a JSON array. It is opened once
/// and nothing that was read to find out what it is gets lost, so it may be a pipe.
/// </summary>
internal sealed class JsonLines : IDisposable
{
    private readonly string path;
    private readonly Stream stream;
    private bool wasRead;

    /// <summary>Opens a file.</summary>
    /// <param name="path">Its path; - is standard input.</param>
    /// <exception cref="RankedDataException">There is no such file.</exception>
    public JsonLines(string path)
    {
        this.path = path;
        stream = Open(path);
    }

    /// <summary>Whether <see cref="Lines"/> can be called a second time: a pipe can be read only once.</summary>
    public bool CanReadAgain => stream.CanSeek;

    /// <inheritdoc cref="Lines"/>
    /// <param name="path">The file; - is standard input.</param>
    public static IEnumerable<(SourceLine Source, ReadOnlyMemory<byte> Utf8, int LoneSurrogateCount)> Read(string path)
    {
        using var file = new JsonLines(path);
        foreach (var line in file.Lines())
            yield return line;
    }

    /// <summary>
    /// Reads the lines with their numbers; an item of an array has the number of the line where it begins. Escapes of lone surrogates come
    /// as escapes of U+FFFD, and with each line the count of them.
    /// </summary>
    /// <exception cref="RankedDataException">
    /// It holds something else than JSON, or is not the whole gzip file or JSON array that it should be.
    /// </exception>
    public IEnumerable<(SourceLine Source, ReadOnlyMemory<byte> Utf8, int LoneSurrogateCount)> Lines()
    {
        if (wasRead)
            stream.Position = 0;
        wasRead = true;
        var source = DataPath.NameOf(path);
        var content = Content(out var layout);
        var lines = layout == JsonLayout.Lines ? LinesOf(content) : JsonItems.Read(content, layout == JsonLayout.Array, path);
        foreach (var (number, utf8) in lines)
            yield return (new SourceLine(source, number), utf8, LoneSurrogates.Replace(utf8));
    }

    public void Dispose() => stream.Dispose();

    private static Stream Open(string path)
    {
        // Opening /dev/stdin anew fails where it is a socket.
        if (path is DataPath.StandardInput or "/dev/stdin")
#pragma warning disable RS0030 // It is read because the caller names it; nothing is written.
            return Console.OpenStandardInput();
#pragma warning restore RS0030
        if (Directory.Exists(path))
            throw new RankedDataException(
                $"'{path}' is a directory, expected a file of JSON lines, plain or gzip. Give one of the files in it.");
        if (!File.Exists(path))
            throw new RankedDataException($"'{path}' is not a file, expected JSON lines, plain or gzip. Check the path.");
        return File.OpenRead(path);
    }

    private Stream Content(out JsonLayout layout)
    {
        var start = StartedStream.StartOf(stream);
        Stream content = new StartedStream(start, stream);
        if (WholeGzipStream.IsGzip(start))
        {
            content = new WholeGzipStream(content, path);
            start = StartedStream.StartOf(content);
            content = new StartedStream(start, content);
        }
        else if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            throw new RankedDataException(
                OtherFormat.FilesSentence(start, path)
                ?? $"'{path}' is not gzip, expected it from its name. Compress it, or take .gz off its name.");
        }
        if (OtherFormat.Sentence(start, path) is { } sentence)
            throw new RankedDataException(sentence);
        layout = JsonItems.LayoutOf(start);
        return content;
    }

    private static IEnumerable<(int Line, byte[] Utf8)> LinesOf(Stream content)
    {
        // Latin-1 keeps every byte as it is: so a line that is not UTF-8 is the trouble of that line, not of the file.
        using var reader = new StreamReader(content, Encoding.Latin1, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            var utf8 = Encoding.Latin1.GetBytes(line);
            if (number == 1 && utf8.AsSpan().StartsWith(Encoding.UTF8.Preamble))
                utf8 = utf8[Encoding.UTF8.Preamble.Length..];
            if (utf8.AsSpan().ContainsAnyExcept(" \t"u8))
                yield return (number, utf8);
        }
    }
}
