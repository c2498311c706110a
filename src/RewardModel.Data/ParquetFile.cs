
using RewardModel.Files;

namespace RewardModel.Data;

/// <summary>Writes rows as Parquet, whose columns are those of all rows.</summary>
internal sealed class ParquetFile : IDisposable
{
    // DuckDB takes rows from a file.
    private readonly string rowsFile = Disk.CreateTemporary();
    private readonly StreamWriter rows;

    public ParquetFile() => rows = new StreamWriter(Disk.Open(rowsFile, FileMode.Create));

    /// <summary>Adds a row.</summary>
    /// <param name="json">A JSON object in one line.</param>
    public void Add(string json) => rows.WriteLine(json);

    /// <summary>Writes all rows that were added; once.</summary>
    /// <param name="path">The file.</param>
    public void Write(string path)
    {
        rows.Close();
        using var connection = Database.Open();
        Database.Try(
            () =>
            {
                Database.Execute(
                    connection,
                    $"COPY (FROM read_json({Database.Text(rowsFile)}, format = 'newline_delimited', sample_size = -1, map_inference_threshold = -1, "
                    + $"maximum_object_size = {int.MaxValue / 2})) TO {Database.Text(path)} (FORMAT PARQUET, COMPRESSION ZSTD)");
                return true;
            },
            e => $"'{path}' can't be written as Parquet: {Database.FirstLine(e)}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        rows.Dispose();
        Disk.Delete(rowsFile);
    }
}
