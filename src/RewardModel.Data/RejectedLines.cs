using DuckDB.NET.Data;
using RewardModel.Reading;

namespace RewardModel.Data;

/// <summary>The lines of delimited text that DuckDB could not divide into cells.</summary>
internal static class RejectedLines
{
    /// <summary>Those of the table that was read last.</summary>
    public static IEnumerable<TableRow> Of(DuckDBConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT line, any_value(error_message) FROM reject_errors GROUP BY line ORDER BY line";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var message = reader.GetString(1).Split('\n')[0].Trim();
            yield return new TableRow(default) { Line = checked((int)reader.GetFieldValue<ulong>(0)), Problem = $"no row of cells: {message}" };
        }
    }
}
