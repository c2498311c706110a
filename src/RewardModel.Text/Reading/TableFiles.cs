using System.Text;
using System.Text.RegularExpressions;
using RewardModel.Layouts;

namespace RewardModel.Reading;

/// <summary>Recognises tables by how they begin.</summary>
internal static partial class TableFiles
{
    // Of tables that are of no layout as they are, but become rows of one by a query.
    private static readonly string[] otherColumns =
    [
        "query", "post", "title", "summary", "outputs", "output_1", "output_2", "responses", "completions", "preference",
        "reward",
    ];

    /// <summary>
    /// Names of columns that data sets have, of which a header of TSV has at least one: a first line of answers can look like names as well.
    /// </summary>
    private static readonly HashSet<string> knownColumns = new(
        DataLayout.Known.SelectMany(layout => layout.Keys.Concat(layout.OtherKeys).Concat(layout.Metadata)).Concat(otherColumns),
        StringComparer.OrdinalIgnoreCase);

    /// <summary>What a file is, where it is a table.</summary>
    /// <param name="start">Its first bytes, unpacked.</param>
    /// <param name="path">Its name may say what a text without a header is.</param>
    /// <param name="isQueried">Whether a query names its columns: then what can be a header is one.</param>
    public static TableFile? Of(ReadOnlySpan<byte> start, string path, bool isQueried = false)
    {
        if (start.StartsWith("PAR1"u8))
            return new TableFile(path, TableFormat.Parquet);
        var text = Encoding.UTF8.GetString(start).TrimStart('\ufeff');
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines is [] || text.Contains('\0') || lines[0].TrimStart() is "" or ['<' or '{', ..]
            || OtherFormat.IsJson(lines[0].Trim()) || lines.Any(line => line.TrimStart().StartsWith('{')) || ForeignContent.Of(start) is not null)
            return null;
        var first = lines[0].TrimEnd('\r');
        foreach (var separator in "\t,;|")
        {
            string[] cells = [.. first.Split(separator).Select(cell => cell.Trim('"'))];
            if (cells.Length < 2)
                continue;
            var hasHeader = cells.Distinct().Count() == cells.Length && cells.All(cell => ColumnName().IsMatch(cell));
            // Commas are everywhere in texts; tabs are not.
            if (separator == '\t' || hasHeader || NameSays(path, ".csv"))
                return new TableFile(path, TableFormat.Delimited)
                {
                    Separator = separator,
                    // Lists of answers without a header are written as TSV, and their answers can look like names.
                    HasHeader = hasHeader && (separator != '\t' || isQueried || cells.Any(knownColumns.Contains)),
                };
        }
        // A table may have a single column, of which the name of the file has to tell.
        return NameSays(path, ".csv") || NameSays(path, ".tsv")
            ? new TableFile(path, TableFormat.Delimited)
            {
                Separator = NameSays(path, ".csv") ? ',' : '\t',
                HasHeader = knownColumns.Contains(first.Trim().Trim('"')),
            }
            : null;
    }

    /// <summary>What a table is, in words.</summary>
    public static string NameOf(TableFile table) => table switch
    {
        { Format: TableFormat.Parquet } => "a Parquet file",
        { Separator: '\t' } => "a TSV file",
        { Format: TableFormat.Delimited } => "a CSV file",
        _ => "a JSON file",
    };

    private static bool NameSays(string path, string ending)
    {
        foreach (var compressed in new[] { ".gz", ".zst" })
            if (path.EndsWith(compressed, StringComparison.OrdinalIgnoreCase))
                path = path[..^compressed.Length];
        return path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_ .-]{0,39}$")]
    private static partial Regex ColumnName();
}
