using DuckDB.NET.Data;
using RewardModel.Reading;

namespace RewardModel.Data;

/// <summary>A DuckDB database in memory, and its errors as ours.</summary>
internal static class Database
{
    /// <summary>Opens an empty database, which loads no extension by itself.</summary>
    public static DuckDBConnection Open()
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        Execute(connection, "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false; SET TimeZone = 'UTC'");
        return connection;
    }

    /// <summary>Runs a statement.</summary>
    public static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Does something of which DuckDB's errors are told as those of data.</summary>
    /// <exception cref="RankedDataException">DuckDB can't.</exception>
    public static T Try<T>(Func<T> work, Func<DuckDBException, string> told)
    {
        try
        {
            return work();
        }
        catch (DuckDBException e)
        {
            throw new RankedDataException(told(e), e);
        }
    }

    /// <summary>What is wrong, in one sentence: the lines below it are advice on DuckDB's options.</summary>
    public static string FirstLine(DuckDBException exception)
    {
        var line = exception.Message.Split('\n')[0].Trim();
        // Its advice would be to load what reads the web.
        if (line.Contains("httpfs", StringComparison.Ordinal))
            return "it is an address of the web, from which nothing is loaded; download the file.";
        return line.EndsWith('.') ? line : $"{line}.";
    }

    /// <summary>A text as SQL has it.</summary>
    public static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>The columns of a table with their types; none where there is no such table.</summary>
    public static string[] ColumnsOf(DuckDBConnection connection, string table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT column_name FROM information_schema.columns WHERE table_name = {Text(table)} ORDER BY ordinal_position";
        using var reader = command.ExecuteReader();
        var columns = new List<string>();
        while (reader.Read())
            columns.Add(reader.GetString(0));
        return [.. columns];
    }
}
