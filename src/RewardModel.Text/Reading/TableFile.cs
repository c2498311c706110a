namespace RewardModel.Reading;

/// <summary>What a file of rows is, as its first bytes show.</summary>
/// <param name="Path">The file.</param>
/// <param name="Format">How its rows are written.</param>
public sealed record TableFile(string Path, TableFormat Format)
{
    /// <summary>How the file is compressed as a whole.</summary>
    public FileCompression Compression { get; init; }

    /// <summary>What stands between the cells of delimited text; null in other formats, and where the reader is to find out.</summary>
    public char? Separator { get; init; }

    /// <summary>Whether the first line of delimited text names the columns; null where the reader is to find out.</summary>
    public bool? HasHeader { get; init; }

    /// <summary>What messages call the file, where that is not its path: a pipe's rows are kept in a temporary file.</summary>
    public string Name { get; init; } = Path;
}

/// <summary>How rows are written.</summary>
public enum TableFormat
{
    /// <summary>JSON: an object a line, or an array of objects.</summary>
    Json,

    /// <summary>Apache Parquet.</summary>
    Parquet,

    /// <summary>Lines of cells with a separator between them: CSV or TSV.</summary>
    Delimited,
}

/// <summary>How a file is compressed.</summary>
public enum FileCompression
{
    /// <summary>Not at all, or within its format.</summary>
    None,

    /// <summary>By gzip.</summary>
    Gzip,

    /// <summary>By Zstandard.</summary>
    Zstd,
}
