using System.Globalization;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Tables without a header, whose columns are numbered by what reads them.</summary>
internal static class TableLayouts
{
    private const string Column = "column";

    /// <summary>A list a row, best first, without a prompt.</summary>
    public static readonly DataLayout BestFirst = new(
        "best-first", "a table of answers, best first", [], fields => fields.Keys.Count > 0 && fields.Keys.All(IsColumn), ReadBestFirst);

    private static bool IsColumn(string key) =>
        key.StartsWith(Column, StringComparison.Ordinal)
        && int.TryParse(key[Column.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static int NumberOf(string key) => int.Parse(key[Column.Length..], NumberStyles.None, CultureInfo.InvariantCulture);

    private static RowReading ReadBestFirst(RowFields fields)
    {
        // Rows with fewer answers than others have empty cells at their ends.
        string[] cells = [.. fields.Keys.Where(IsColumn).OrderBy(NumberOf).Select(key => fields.Label(key) ?? "")];
        string[] answers = [.. cells.Reverse().SkipWhile(string.IsNullOrWhiteSpace).Reverse()];
        if (answers.Length == 0)
            fields.Reject("all cells are empty, expected answers, best first");
        for (var i = 0; i < answers.Length; i++)
            if (string.IsNullOrWhiteSpace(answers[i]))
                fields.Reject($"cell {i + 1} is empty and there are answers after it, expected none or an answer");
        return RowReading.OfTexts(fields, "", answers, RankedList.ScoresOfOrder(answers.Length), areOrder: true);
    }
}
