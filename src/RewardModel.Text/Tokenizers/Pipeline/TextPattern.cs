using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using RewardModel.Jinja;
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

    /// <summary>The longest expressions of published tokenizers have some 1,000 characters.</summary>
    private const int MaxExpressionLength = 10_000;

    /// <summary>For one match. Patterns of published tokenizers take 0.1 microseconds for a character.</summary>
    private static readonly TimeSpan maxTime = TimeSpan.FromSeconds(2);

    /// <summary>What all matches of a text may take besides, for each of its characters.</summary>
    private static readonly TimeSpan maxTimePerCharacter = TimeSpan.FromMicroseconds(2);

    private readonly string? literal;

    // Backtracking is faster for patterns that don't run away, and knows lookarounds. Once one has run away, the other engine takes its place,
    // whose time is linear and whose matches are the same.
    private volatile Regex regex;

    private TextPattern(string? literal, Regex regex) => (this.literal, this.regex) = (literal, regex);

    /// <exception cref="ArgumentException">The expression can't be used.</exception>
    public static TextPattern Expression(string expression) =>
        // ^ and $ are the ends of lines.
        new(null, new Regex(
            WithWordCharacters(expression), RegexOptions.CultureInvariant | RegexOptions.Compiled | RegexOptions.Multiline, maxTime));

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
        else if (expression.Length > MaxExpressionLength)
            component.AddProblem(
                $"the expression {Excerpt.Of(expression)} is too long, expected at most {MaxExpressionLength} characters");
        else if (misread.FirstOrDefault(expression.Contains) is { } construct)
            component.AddProblem($"the expression {Excerpt.Of(expression)} uses '{construct}', which is not supported");
        else
            try
            {
                return Expression(expression);
            }
            catch (ArgumentException exception)
            {
                component.AddProblem($"the expression is not supported: {exception.Message}");
            }
            catch (InsufficientExecutionStackException)
            {
                component.AddProblem($"the expression {Excerpt.Of(expression)} has too many brackets within brackets");
            }
        return null;
    }

    public MatchEnumerator Matches(ReadOnlySpan<char> text) => new(this, text);

    /// <summary>The text with <paramref name="content"/>, as it stands, for every match.</summary>
    /// <exception cref="TokenizerException">The text grows too much, or the expression takes too long.</exception>
    public string Replace(string text, string content)
    {
        if (literal is not null)
        {
            if (content.Length > literal.Length)
                CheckGrowth(text.Length + (long)text.AsSpan().Count(literal) * (content.Length - literal.Length));
            return text.Replace(literal, content, StringComparison.Ordinal);
        }
        var result = new StringBuilder(text.Length);
        var end = 0;
        foreach (var (first, last) in Matches(text))
        {
            CheckGrowth((long)result.Length + content.Length);
            result.Append(text, end, first - end).Append(content);
            end = last;
        }
        return result.Append(text, end, text.Length - end).ToString();

        void CheckGrowth(long length) => TextGrowth.Check("the step Replace", text.Length, length);
    }

    /// <summary>Goes over to matching in linear time, which not all expressions have.</summary>
    private bool TryMatchInLinearTime()
    {
        if (regex.Options.HasFlag(RegexOptions.NonBacktracking))
            return false;
        try
        {
            regex = new Regex(
                regex.ToString(), (regex.Options & ~RegexOptions.Compiled) | RegexOptions.NonBacktracking, maxTime);
            return true;
        }
        // It has lookarounds, references or atomic groups, or would have too many states.
        catch (NotSupportedException)
        {
            return false;
        }
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
                throw new ArgumentException($"Invalid pattern '{Excerpt.Of(expression)}' at offset {i}. A class within a class.");
            isInClass = expression[i] == '[' || (isInClass && expression[i] != ']');
            result.Append(expression[i]);
        }
        return result.ToString();
    }

    /// <summary>The matches of a text, by their place in it.</summary>
    internal ref struct MatchEnumerator(TextPattern pattern, ReadOnlySpan<char> text)
    {
        private readonly CodePointText codePoints = new(text);
        private Regex.ValueMatchEnumerator matches;
        private bool isStarted;
        private bool isRetried;
        private TimeSpan time;

        // Where a search goes on that is begun anew.
        private int next;

        public (int Start, int End) Current =>
            (codePoints.StartOf(matches.Current.Index), codePoints.StartOf(matches.Current.Index + matches.Current.Length));

        public readonly MatchEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            if (!isStarted)
                Start();
            var startTime = Stopwatch.GetTimestamp();
            try
            {
                if (!matches.MoveNext())
                    return false;
            }
            catch (RegexMatchTimeoutException)
            {
                // The process may have been stopped meanwhile, so an expression has a second try.
                if (!pattern.TryMatchInLinearTime() && isRetried)
                    throw TooSlow();
                isRetried = true;
                if (next > codePoints.Units.Length)
                    return false;
                Start();
                return MoveNext();
            }
            // An empty match is not found twice.
            next = matches.Current.Index + Math.Max(matches.Current.Length, 1);
            // A match that took longer and was found was waited for: one pause is within what two may take.
            var ofMatch = Stopwatch.GetElapsedTime(startTime);
            time += ofMatch < maxTime ? ofMatch : maxTime;
            return time <= 2 * maxTime + codePoints.Units.Length * maxTimePerCharacter ? true : throw TooSlow();
        }

        private void Start()
        {
            isStarted = true;
            matches = pattern.regex.EnumerateMatches(codePoints.Units, next);
        }

        private readonly TokenizerException TooSlow() => new(
            TokenizerDirectory.TokenizerFile,
            [
                $"the expression {Excerpt.Of(pattern.regex.ToString())} takes longer than {maxTime.TotalSeconds} seconds for a text of "
                + $"{codePoints.Units.Length} characters; simplify it",
            ]);
    }
}
