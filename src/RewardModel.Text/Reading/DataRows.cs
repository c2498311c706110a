using System.Text;
using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>The rows of one file: JSON lines, the items of a JSON array, or, by a reader of tables, those of a table.</summary>
internal sealed class DataRows : IDisposable
{
    private readonly DataFile file;
    private readonly ITableReader? tables;
    private bool wasRead;

    /// <param name="path">The file; - is standard input.</param>
    /// <param name="tables">What reads tables; null where there is nothing that does.</param>
    /// <exception cref="RankedDataException">There is no such file, or it holds something that can't be read.</exception>
    public DataRows(string path, ITableReader? tables = null)
    {
        this.tables = tables;
        file = new DataFile(path);
    }

    /// <summary>How much of the file was read so far, from 0 to 1; null of pipes and tables.</summary>
    public double? ReadShare => file.ReadShare;

    /// <inheritdoc cref="Read()"/>
    /// <param name="path">The file; - is standard input.</param>
    public static IEnumerable<DataRow> Read(string path)
    {
        using var rows = new DataRows(path);
        foreach (var row in rows.Read())
            yield return row;
    }

    /// <summary>
    /// What a file is to a reader of tables, which may be JSON as well. The file is kept open, as its content may be in a copy.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <exception cref="RankedDataException">It is something else.</exception>
    public static TableFile TableOf(DataFile file) => file.AsTable(
        TableFiles.Of(file.Start, file.Path, isQueried: true)
        ?? (OtherFormat.Sentence(file.Start, file.Path) is { } sentence
            ? throw new RankedDataException(sentence)
            : new TableFile(file.Path, TableFormat.Json)));

    /// <summary>
    /// Reads the rows. Escapes of lone surrogates come as escapes of U+FFFD. Lines without a text are left out.
    /// </summary>
    /// <exception cref="RankedDataException">
    /// It is not the whole file, JSON array or compressed stream that it should be, or holds something that can't be read.
    /// </exception>
    public IEnumerable<DataRow> Read()
    {
        if (wasRead)
            file.Restart();
        wasRead = true;
        return file.Table is { } table ? TableRows(table) : JsonRows();
    }

    public void Dispose() => file.Dispose();

    private IEnumerable<DataRow> TableRows(TableFile table)
    {
        if (tables is null)
            throw new RankedDataException(
                $"{DataPath.Quoted(file.Path)} is {TableFiles.NameOf(table)}, which needs a reader of tables; expected JSON lines or a JSON "
                + "array. In code, give DuckDbTables of the package RewardModel.Data.");
        var name = DataPath.NameOf(file.Path);
        var number = 0;
        foreach (var row in tables.Read([file.AsTable(table)]))
            yield return DataRow.Of(name, row, ++number);
    }

    private IEnumerable<DataRow> JsonRows()
    {
        if (OtherFormat.Sentence(file.Start, file.Path) is { } sentence)
            throw new RankedDataException(sentence);
        var name = DataPath.NameOf(file.Path);
        var layout = JsonItems.LayoutOf(file.Start);
        var lines = layout == JsonLayout.Lines
            ? LinesOf(file.Content)
            : JsonItems.Read(file.Content, layout == JsonLayout.Array, file.Path).Select(item => (item.Line, item.Utf8.AsMemory()));
        foreach (var (number, utf8) in lines)
            yield return new DataRow(new SourceLine(name, number), utf8, LoneSurrogates.Replace(utf8.Span));
    }

    /// <summary>The lines that are not blank, as bytes: one that is not UTF-8 is the trouble of that line, not of the file.</summary>
    private static IEnumerable<(int Line, Memory<byte> Utf8)> LinesOf(Stream content)
    {
        var buffer = new byte[1 << 16];
        int first = 0, end = 0, number = 1;
        var hasEnded = false;
        while (!hasEnded || first < end)
        {
            var length = buffer.AsSpan(first, end - first).IndexOf((byte)'\n');
            if (length < 0 && !hasEnded)
            {
                // A line goes on: it is moved to the start, and the buffer grows with the longest line.
                if (first == 0 && end == buffer.Length)
                    Array.Resize(ref buffer, 2 * buffer.Length);
                buffer.AsSpan(first, end - first).CopyTo(buffer);
                (first, end) = (0, end - first);
                var count = content.Read(buffer.AsSpan(end));
                hasEnded = count == 0;
                end += count;
                continue;
            }
            var line = buffer.AsMemory(first, length < 0 ? end - first : length);
            first += line.Length + 1;
            if (number == 1 && line.Span.StartsWith(Encoding.UTF8.Preamble))
                line = line[Encoding.UTF8.Preamble.Length..];
            if (line.Span.EndsWith("\r"u8))
                line = line[..^1];
            if (line.Span.ContainsAnyExcept(" \t"u8))
                yield return (number, line);
            number++;
        }
    }
}
