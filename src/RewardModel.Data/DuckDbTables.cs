using System.Text;
using DuckDB.NET.Data;
using RewardModel.Reading;

namespace RewardModel.Data;

/// <summary>
/// Reads Parquet, CSV, TSV and JSON files with DuckDB, as they are or by SQL. Rows are streamed: a table of any size takes the same memory.
/// Nothing is loaded from the network.
/// </summary>
/// <example>
/// <code>
/// foreach (var row in new DuckDbTables().Read(
///     [new TableFile("pairs.parquet", TableFormat.Parquet)], "SELECT question AS prompt, [good, bad] AS answers FROM data"))
///     Console.WriteLine(System.Text.Encoding.UTF8.GetString(row.Utf8.Span));
/// </code>
/// </example>
public sealed class DuckDbTables : ITableReader
{
    // No column is called that: a name stands for a column before it stands for a table.
    private const string RowName = "\"the row\"";
    private const string TableName = "data";

    /// <inheritdoc/>
    public IEnumerable<TableRow> Read(IReadOnlyList<TableFile> files, string? sql = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (files.Count == 0)
            throw new ArgumentException("There are no files, expected at least one.", nameof(files));
        return Rows(files, sql);
    }

    private static IEnumerable<TableRow> Rows(IReadOnlyList<TableFile> files, string? sql)
    {
        using var connection = Database.Open();
        string Told(DuckDBException e) => sql is null ? CannotRead(files, e) : CannotQuery(connection, sql, e);
        using var command = connection.CreateCommand();
        using var reader = Database.Try(
            () =>
            {
                Database.Execute(
                    connection, $"CREATE VIEW {TableName} AS {string.Join(" UNION ALL BY NAME ", files.Select(file => Select(file, sql is not null)))}");
                // A comment at the end of the query would hide what follows it.
                command.CommandText = $"SELECT encode(to_json({RowName})::VARCHAR) FROM ({sql?.TrimEnd().TrimEnd(';') ?? $"FROM {TableName}"}\n) {RowName}";
                command.UseStreamingMode = true;
                return command.ExecuteReader();
            },
            Told);
        var buffer = new byte[1 << 12];
        while (Database.Try(reader.Read, Told))
        {
            using var cell = reader.GetStream(0);
            if (cell.Length > buffer.Length)
                buffer = new byte[Math.Max(cell.Length, 2 * buffer.Length)];
            var row = buffer.AsMemory(0, (int)cell.Length);
            cell.ReadExactly(row.Span);
            yield return new TableRow(NotFinite.AsNull(row));
        }
        if (sql is null && files.Any(file => file.Format == TableFormat.Delimited))
            foreach (var rejected in RejectedLines.Of(connection))
                yield return rejected;
    }

    private static string Select(TableFile file, bool isQueried) => file.Format switch
    {
        TableFormat.Parquet => $"FROM read_parquet({Database.Text(file.Path)})",
        // Types are those of all rows: a sample may show an integer where a later row has a text.
        TableFormat.Json =>
            $"FROM read_json({Database.Text(file.Path)}, format = 'auto', union_by_name = true, sample_size = -1, "
            + $"maximum_object_size = {int.MaxValue / 2}, compression = '{CompressionOf(file)}')",
        _ => Delimited(file, isQueried),
    };

    /// <summary>
    /// Cells stay the text that they are, unless they are queried. Without a header a row may have fewer cells than the longest, and in TSV, which
    /// lists of answers are written in, quotes mean themselves.
    /// </summary>
    private static string Delimited(TableFile file, bool isQueried)
    {
        var options = new StringBuilder($"FROM read_csv({Database.Text(file.Path)}, compression = '{CompressionOf(file)}'");
        if (file.Separator is { } separator)
            options.Append($", delim = {Database.Text(separator.ToString())}");
        if (file.HasHeader is { } hasHeader)
            options.Append($", header = {(hasHeader ? "true" : "false")}, null_padding = {(hasHeader ? "false" : "true")}");
        var hasQuotes = file.HasHeader != false || file.Separator != '\t';
        options.Append($", quote = '{(hasQuotes ? "\"" : "")}', escape = '{(hasQuotes ? "\"" : "")}'");
        options.Append($", max_line_size = {1 << 26}, parallel = false");
        options.Append(isQueried ? ", sample_size = -1" : ", all_varchar = true, sample_size = -1, store_rejects = true");
        return options.Append(')').ToString();
    }

    private static string CompressionOf(TableFile file) => file.Compression switch
    {
        FileCompression.Gzip => "gzip",
        FileCompression.Zstd => "zstd",
        _ => "uncompressed",
    };

    private static string CannotRead(IReadOnlyList<TableFile> files, DuckDBException exception) =>
        $"{string.Join(", ", files.Select(file => $"'{file.Name}'"))} can't be read as {Kind(files[0])}: {Database.FirstLine(exception)} "
        + "It is damaged, only the beginning of a file, or something else.";

    private static string CannotQuery(DuckDBConnection connection, string sql, DuckDBException exception) =>
        $"The query '{sql}' can't be run: {Database.FirstLine(exception)} Expected a SELECT over the table {TableName}"
        + (Database.ColumnsOf(connection, TableName) is { Length: > 0 } columns ? $", whose columns are {string.Join(", ", columns)}." : ".");

    private static string Kind(TableFile file) => file.Format switch
    {
        TableFormat.Parquet => "Parquet",
        TableFormat.Json => "JSON",
        _ => file.Separator == '\t' ? "TSV" : "CSV",
    };
}
