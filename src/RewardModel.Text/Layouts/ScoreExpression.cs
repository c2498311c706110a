using System.Data;
using System.Globalization;
using System.Text.RegularExpressions;

namespace RewardModel.Layouts;

/// <summary>
/// Arithmetic over the numbers of an answer, which gives its score: <c>helpfulness + 0.5*correctness</c>. Numbers, names, + - * / and
/// parentheses; a name with other signs than letters, digits and underscores stands in brackets.
/// </summary>
internal sealed partial class ScoreExpression
{
    private const string ResultName = " score";

    // Of a table with a column for each name and one for the expression.
    private readonly DataRow row;
    private readonly string[] names;

    /// <exception cref="ArgumentException">It is no such expression.</exception>
    public ScoreExpression(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Text = text;
        // What DataTable has besides, functions, strings, comparisons and logic, gives no number or none that is meant.
        names = AllowedSigns().IsMatch(text) && !OtherWords().IsMatch(text) ? [.. Name().Matches(text).Select(match => match.Value.Trim('[', ']')).Distinct()] : [];
        if (names.Length == 0)
            throw Invalid(text, null);
        var table = new DataTable { Locale = CultureInfo.InvariantCulture };
        foreach (var name in names)
            table.Columns.Add(name, typeof(double));
        try
        {
            table.Columns.Add(ResultName, typeof(double), text);
            row = table.Rows.Add();
            // What is wrong with its own numbers and operators is found when it is computed.
            Compute(_ => 1);
        }
        // IndexOutOfRangeException: of a hundred brackets and operators that wait for their end.
        catch (Exception e) when (e is InvalidExpressionException or ArithmeticException or FormatException or IndexOutOfRangeException)
        {
            throw Invalid(text, e);
        }
    }

    /// <summary>The expression.</summary>
    public string Text { get; }

    /// <summary>Whether a score was computed.</summary>
    public bool IsUsed { get; private set; }

    /// <summary>Its value.</summary>
    /// <param name="numberOf">The number that a name stands for.</param>
    public double Of(Func<string, double> numberOf)
    {
        IsUsed = true;
        return Compute(numberOf);
    }

    private double Compute(Func<string, double> numberOf)
    {
        foreach (var name in names)
            row[name] = numberOf(name);
        return row[ResultName] is double number ? number : double.NaN;
    }

    private static ArgumentException Invalid(string text, Exception? inner) => new(
        $"'{text}' is no expression that scores are computed by; expected arithmetic over the names of numbers, such as "
        + "\"helpfulness + 0.5*correctness\".",
        inner);

    [GeneratedRegex(@"^([\p{L}\p{N}_.\s+\-*/()]|\[[^\[\]]+\])*$")]
    private static partial Regex AllowedSigns();

    [GeneratedRegex(@"\p{L}[\p{L}\p{N}_]*\s*\(|\b(and|or|not|in|is|like|between|null|true|false|parent|child)\b", RegexOptions.IgnoreCase)]
    private static partial Regex OtherWords();

    [GeneratedRegex(@"\[[^\[\]]+\]|(?<![\p{L}\p{N}_.])\p{L}[\p{L}\p{N}_]*")]
    private static partial Regex Name();
}
