using System.Text;
using RewardModel.Files;

namespace RewardModel.Reading;

/// <summary>
/// A file, standard input or a pipe, recognised by its content: it is opened once, and nothing that was read to find out what it is gets
/// lost. Compressed content is unpacked, and text in UTF-16 comes as UTF-8.
/// </summary>
internal sealed class DataFile : IDisposable
{
    // Of the file itself; seekable if it is no pipe.
    private readonly Stream stream;
    private bool isTranscoded;
    private string? copy;

    /// <summary>Opens a file.</summary>
    /// <param name="path">Its path; - is standard input.</param>
    /// <exception cref="RankedDataException">There is no such file, or its compression is not what its name promises.</exception>
    public DataFile(string path)
    {
        Path = path;
        stream = Open(path);
        try
        {
            Content = Unpacked();
            Table = TableFiles.Of(Start, path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>As it was given.</summary>
    public string Path { get; }

    /// <summary>What it holds, unpacked, from its start.</summary>
    public Stream Content { get; private set; }

    /// <summary>The first bytes of <see cref="Content"/>; all of them where it is shorter.</summary>
    public byte[] Start { get; private set; } = [];

    /// <summary>How it is compressed.</summary>
    public FileCompression Compression { get; private set; }

    /// <summary>How much of it was read so far, from 0 to 1; null of a pipe, and of what a reader of tables reads by itself.</summary>
    public double? ReadShare => stream.CanSeek && stream.Length > 0 && Table is null
        ? (double)stream.Position / stream.Length
        : null;

    /// <summary>What it is to a reader of tables; null where it is none.</summary>
    public TableFile? Table { get; }

    /// <summary>Goes back to the start of a file that is no pipe.</summary>
    public void Restart()
    {
        stream.Position = 0;
        Content = Unpacked();
    }

    /// <summary>
    /// A path that holds the same content as a table: its own, or that of a temporary copy, of a pipe or of text in another encoding, which
    /// lives as long as this.
    /// </summary>
    /// <param name="table">What the file is, with its path.</param>
    public TableFile AsTable(TableFile table)
    {
        // Parquet compresses by itself; what packs it once more is unpacked.
        var isPackedParquet = table.Format == TableFormat.Parquet && Compression != FileCompression.None;
        if (stream.CanSeek && !isTranscoded && !isPackedParquet)
            return table with { Compression = Compression };
        if (copy is null)
        {
            copy = Disk.CreateTemporary();
            using var file = Disk.Open(copy, FileMode.Create);
            Content.CopyTo(file);
        }
        return table with { Path = copy, Name = DataPath.NameOf(Path) };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stream.Dispose();
        if (copy is not null)
            Disk.Delete(copy);
    }

    private static Stream Open(string path)
    {
        // Opening /dev/stdin anew fails where it is a socket.
        if (path is DataPath.StandardInput or "/dev/stdin")
#pragma warning disable RS0030 // It is read because the caller names it; nothing is written.
            return Console.OpenStandardInput();
#pragma warning restore RS0030
        if (Directory.Exists(path))
            throw new RankedDataException($"'{path}' is a directory, expected a file. Give one of the files in it.");
        if (!File.Exists(path))
            throw new RankedDataException($"'{path}' is not a file, expected one of ranked lists. Check the path.");
        return InputFile.Open(path, FileKind.Data);
    }

    private Stream Unpacked()
    {
        Stream content = Started(stream);
        if (WholeGzipStream.IsGzip(Start))
        {
            Compression = FileCompression.Gzip;
            content = Started(new WholeGzipStream(content, Path));
        }
        else if (Start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]))
        {
            Compression = FileCompression.Zstd;
            content = Started(new WholeZstdStream(content, Path));
        }
        else
        {
            foreach (var (ending, name) in new[] { (".gz", "gzip"), (".zst", "zstd") })
                if (Path.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
                    throw new RankedDataException(
                        OtherFormat.FilesSentence(Start, Path)
                        ?? $"'{Path}' is not {name}, expected it from its name. Compress it, or take {ending} off its name.");
        }
        if (EncodingOf(Start) is not { } encoding)
            return content;
        isTranscoded = true;
        return Started(Encoding.CreateTranscodingStream(content, encoding, Encoding.UTF8));
    }

    private StartedStream Started(Stream from)
    {
        Start = StartedStream.StartOf(from);
        return new StartedStream(Start, from);
    }

    /// <summary>The encoding of text that is in another than UTF-8; null for all else. A first character is hardly ever beyond Latin-1.</summary>
    private static Encoding? EncodingOf(ReadOnlySpan<byte> start) => start switch
    {
        [0xff, 0xfe, 0, 0, ..] => null,
        [0xff, 0xfe, ..] or [not 0, 0, not 0, 0, ..] => Encoding.Unicode,
        [0xfe, 0xff, ..] or [0, not 0, 0, not 0, ..] => Encoding.BigEndianUnicode,
        _ => null,
    };
}
