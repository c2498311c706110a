namespace RewardModel.Reading;

/// <summary>
/// Reads tables, and rows of any file by SQL. This package reads JSON alone; <c>DuckDbTables</c> of the package RewardModel.Data reads
/// Parquet, CSV and TSV.
/// </summary>
public interface ITableReader
{
    /// <summary>Reads rows in the order of the files, a few thousand at a time, so that tables of any size take the same memory.</summary>
    /// <param name="files">Files of tables or of JSON, at least one.</param>
    /// <param name="sql">A query over all of them as the table <c>data</c>; null for their rows as they are.</param>
    /// <returns>
    /// Each row as a JSON object, nested columns as arrays and objects, dates as text, numbers that are not finite as null. Rows that can't be
    /// read come with their problem, after the others.
    /// </returns>
    /// <exception cref="RankedDataException">A file is damaged, or the query can't be run.</exception>
    IEnumerable<TableRow> Read(IReadOnlyList<TableFile> files, string? sql = null);
}
