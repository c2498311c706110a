using System.Text;
using System.Text.RegularExpressions;
using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>The "pattern" of a component: a string, or a regular expression over code points in the syntax of Oniguruma.</summary>
internal sealed class TextPattern
{
    // Constructs of Oniguruma that .NET reads as something else without complaint: POSIX brackets, intersections of classes, "dot matches
    // all", which .NET spells with an s.
    private static readonly string[] misread = ["[:", "&&", "(?m", "(?-m"];

    // What \w is to Oniguruma: Alphabetic, M, Nd and Pc, and the numbers of Latin-1.
    private const string WordCharacters = @"\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}\u24B6-\u24E9²³¹¼-¾";

    private readonly string? literal;
    private readonly Regex regex;

    private TextPattern(string? literal, Regex regex) => (this.literal, this.regex) = (literal, regex);

    /// <exception cref="ArgumentException">The expression can't be used.</exception>
    public static TextPattern Expression(string expression) =>
        // ^ and $ are the ends of lines.
        new(null, new Regex(
            WithWordCharacters(expression), RegexOptions.CultureInvariant | RegexOptions.Compiled | RegexOptions.Multiline));

    /// <summary>A string that is found as it stands.</summary>
    public static TextPattern Literal(string text) => new(text, new Regex(Regex.Escape(text), RegexOptions.CultureInvariant));

    /// <summary>Reads the member "pattern"; null where it can't be used, which is then among the problems.</summary>
    public static TextPattern? Read(JsonComponent component)
    {
        var pattern = component.Component("pattern");
        var literal = pattern?.OptionalText("String");
        var expression = pattern?.OptionalText("Regex");
        pattern?.RejectUnread();
        if (literal is { Length: > 0 })
            return Literal(literal);
        if (string.IsNullOrEmpty(expression))
            component.AddProblem("'pattern' has neither a String nor a Regex");
        else if (misread.FirstOrDefault(expression.Contains) is { } construct)
            component.AddProblem($"the expression {expression} uses '{construct}', which is not supported");
        else
            try
            {
                return Expression(expression);
            }
            catch (ArgumentException exception)
            {
                component.AddProblem($"the expression is not supported: {exception.Message}");
            }
        return null;
    }

    public MatchEnumerator Matches(ReadOnlySpan<char> text) => new(regex, text);

    /// <summary>The text with <paramref name="content"/>, as it stands, for every match.</summary>
    public string Replace(string text, string content)
    {
        if (literal is not null)
            return text.Replace(literal, content, StringComparison.Ordinal);
        var result = new StringBuilder(text.Length);
        var end = 0;
        foreach (var (first, last) in Matches(text))
        {
            result.Append(text, end, first - end).Append(content);
            end = last;
        }
        return result.Append(text, end, text.Length - end).ToString();
    }

    private static string WithWordCharacters(string expression)
    {
        var result = new StringBuilder();
        var isInClass = false;
        for (var i = 0; i < expression.Length; i++)
        {
            if (expression[i] == '\\' && i + 1 < expression.Length)
            {
                i++;
                if (expression[i] == 'w')
                    result.Append(isInClass ? WordCharacters : $"[{WordCharacters}]");
                else if (expression[i] == 'W' && !isInClass)
                    result.Append($"[^{WordCharacters}]");
                else
                    result.Append('\\').Append(expression[i]);
                continue;
            }
            // A bracket in a class is literal to .NET, and misread where it is not literal to Oniguruma.
            if (expression[i] == '[' && isInClass)
                throw new ArgumentException($"Invalid pattern '{expression}' at offset {i}. A class within a class.");
            isInClass = expression[i] == '[' || (isInClass && expression[i] != ']');
            result.Append(expression[i]);
        }
        return result.ToString();
    }

    /// <summary>The matches of a text, by their place in it.</summary>
    internal ref struct MatchEnumerator(Regex regex, ReadOnlySpan<char> text)
    {
        private readonly CodePointText codePoints = new(text);
        private Regex.ValueMatchEnumerator matches;
        private bool isStarted;

        public (int Start, int End) Current =>
            (codePoints.StartOf(matches.Current.Index), codePoints.StartOf(matches.Current.Index + matches.Current.Length));

        public readonly MatchEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            if (!isStarted)
                matches = regex.EnumerateMatches(codePoints.Units);
            isStarted = true;
            return matches.MoveNext();
        }
    }
}
