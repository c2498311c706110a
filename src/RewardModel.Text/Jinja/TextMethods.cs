using System.Text;

namespace RewardModel.Jinja;

/// <summary>The methods of Python's strings.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, Func<TextValue, CallValues, object?>> methods = new(StringComparer.Ordinal)
    {
        ["capitalize"] = (text, call) => Mapped(text, call, PythonText.Capitalized),
        ["center"] = (text, call) => Padded(text, call, (missing, width) => missing / 2 + (missing & width & 1)),
        ["count"] = (text, call) => Count(text.Text, Argument(call, 1, "sub").Text),
        ["endswith"] = (text, call) => Affixes(call, "suffix").Any(affix => text.Text.EndsWith(affix, StringComparison.Ordinal)),
        ["find"] = (text, call) => Find(text.Text, call, last: false),
        ["format"] = TextFormat.Braces,
        ["index"] = (text, call) => Found(Find(text.Text, call, last: false)),
        ["isalnum"] = (text, call) => All(text, call, c => char.IsLetterOrDigit(c)),
        ["isalpha"] = (text, call) => All(text, call, char.IsLetter),
        ["isdecimal"] = (text, call) => All(text, call, char.IsDigit),
        ["isdigit"] = (text, call) => All(text, call, char.IsDigit),
        ["islower"] = (text, call) => HasCase(text, call) && text.Text == Lower(text.Text),
        ["isnumeric"] = (text, call) => All(text, call, char.IsNumber),
        ["isspace"] = (text, call) => All(text, call, PythonText.IsSpace),
        ["isupper"] = (text, call) => HasCase(text, call) && text.Text == Upper(text.Text),
        ["join"] = (text, call) => Join(text, Python.Items(call.Bind(1, "iterable")[0])),
        ["ljust"] = (text, call) => Padded(text, call, (_, _) => 0),
        ["lower"] = (text, call) => Mapped(text, call, Lower),
        ["lstrip"] = (text, call) => Strip(text, call, left: true, right: false),
        ["partition"] = (text, call) => Partition(text, Argument(call, 1, "sep").Text, last: false),
        ["removeprefix"] = (text, call) => Argument(call, 1, "prefix").Text is var prefix
            && text.Text.StartsWith(prefix, StringComparison.Ordinal) ? text.Part(prefix.Length, text.Text.Length - prefix.Length) : text,
        ["removesuffix"] = (text, call) => Argument(call, 1, "suffix").Text is var suffix
            && text.Text.EndsWith(suffix, StringComparison.Ordinal) ? text.Part(0, text.Text.Length - suffix.Length) : text,
        ["replace"] = (text, call) => Replace(text, call.Bind(2, "old", "new", "count")),
        ["rfind"] = (text, call) => Find(text.Text, call, last: true),
        ["rindex"] = (text, call) => Found(Find(text.Text, call, last: true)),
        ["rjust"] = (text, call) => Padded(text, call, (missing, _) => missing),
        ["rpartition"] = (text, call) => Partition(text, Argument(call, 1, "sep").Text, last: true),
        ["rsplit"] = (text, call) => Split(text, call, fromRight: true),
        ["rstrip"] = (text, call) => Strip(text, call, left: false, right: true),
        ["split"] = (text, call) => Split(text, call, fromRight: false),
        ["splitlines"] = SplitLines,
        ["startswith"] = (text, call) => Affixes(call, "prefix").Any(affix => text.Text.StartsWith(affix, StringComparison.Ordinal)),
        ["strip"] = (text, call) => Strip(text, call, left: true, right: true),
        ["title"] = (text, call) => Mapped(text, call, PythonText.Titled),
        ["upper"] = (text, call) => Mapped(text, call, Upper),
        ["zfill"] = (text, call) => ZeroFilled(text, Operators.Integer(call.Bind(1, "width")[0])),
    };

    /// <summary>The names of all that are supported.</summary>
    public static IReadOnlyCollection<string> Names => methods.Keys;

    /// <summary>Small letters whose large form has several letters.</summary>
    private static readonly Dictionary<char, string> severalLarge = new()
    {
        ['ß'] = "SS",
        ['ŉ'] = "ʼN",
        ['ǰ'] = "J\u030c",
        ['և'] = "ԵՒ",
        ['ﬀ'] = "FF",
        ['ﬁ'] = "FI",
        ['ﬂ'] = "FL",
        ['ﬃ'] = "FFI",
        ['ﬄ'] = "FFL",
        ['ﬅ'] = "ST",
        ['ﬆ'] = "ST",
    };

    /// <summary>Python's other methods of strings: not there would be another thing than not supported.</summary>
    private static readonly HashSet<string> unsupported =
    [
        "casefold", "encode", "expandtabs", "format_map", "isascii", "isidentifier", "isprintable", "istitle", "maketrans", "swapcase",
        "translate",
    ];

    /// <summary>Methods that escape their arguments where the text is marked as safe, which no template has needed yet.</summary>
    private static readonly HashSet<string> escaping = ["center", "format", "join", "ljust", "replace", "rjust", "zfill"];

    /// <summary>A method of the text; null where strings have none of that name.</summary>
    public static Callable? Find(TextValue text, string name)
    {
        if (text.IsMarkup && escaping.Contains(name))
            throw new RenderProblem(
                $"the method '{name}' is not supported for a text that the filter 'safe' has marked; mark what comes out instead");
        if (methods.TryGetValue(name, out var method))
            return new Callable(name, call => method(text, call));
        return unsupported.Contains(name)
            ? throw new RenderProblem($"the method '{name}' of a string is not supported; supported are {string.Join(", ", Names)}")
            : null;
    }

    /// <summary>Large letters, of which one small letter can have two.</summary>
    public static string Upper(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var character in text.ToUpperInvariant())
            if (severalLarge.TryGetValue(character, out var letters))
                result.Append(letters);
            else
                result.Append(character);
        return result.ToString();
    }

    /// <summary>Small letters: a sigma that ends a word has another form, and the dotted I keeps its dot.</summary>
    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        if (!text.AsSpan().ContainsAny('Σ', 'İ'))
            return lower;
        var result = new StringBuilder(lower);
        for (var i = 0; i < text.Length; i++)
            if (text[i] == 'Σ' && i > 0 && char.IsLetter(text[i - 1]) && (i + 1 == text.Length || !char.IsLetter(text[i + 1])))
                result[i] = 'ς';
        return result.Replace("İ", "i\u0307").ToString();
    }

    public static TextValue Join(TextValue separator, IEnumerable<object?> items)
    {
        var result = new TextValue.Builder();
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
                result.Append(separator);
            isFirst = false;
            result.Append(item as TextValue ?? throw new RenderProblem($"join() has {Python.TypeName(item)} among its strings"));
        }
        return result.ToText();
    }

    public static TextValue Replace(TextValue text, IReadOnlyList<object?> arguments)
    {
        var (old, replacement) = (Text("replace()", arguments[0]).Text, Text("replace()", arguments[1]));
        var rest = arguments[2] is Absent or null ? -1 : Operators.Integer(arguments[2]);
        var result = new TextValue.Builder();
        var done = 0;
        if (old.Length == 0)
        {
            foreach (var character in PythonText.Characters(text))
            {
                if (rest-- != 0)
                    result.Append(replacement);
                else
                    rest = 0;
                result.Append(character);
            }
            if (rest != 0)
                result.Append(replacement);
            return result.ToText();
        }
        for (var at = PythonText.IndexOf(text.Text, old, from: 0); at >= 0 && rest-- != 0; at = PythonText.IndexOf(text.Text, old, done))
        {
            RenderBudget.Spend(1);
            result.Append(text.Part(done, at - done));
            result.Append(replacement);
            done = at + old.Length;
        }
        result.Append(text.Part(done, text.Text.Length - done));
        return result.ToText();
    }

    public static TextValue Text(string callee, object? value) => value switch
    {
        TextValue text => text,
        Undefined undefined => throw new RenderProblem(undefined.Problem),
        _ => throw new RenderProblem($"{callee} has {Python.TypeName(value)}, expected a string"),
    };

    public static TextValue Strip(TextValue text, CallValues call, bool left, bool right)
    {
        var characters = call.Bind(0, "chars")[0];
        return PythonText.Strip(text, characters is Absent or null ? null : Text(call.Callee, characters).Text, left, right);
    }

    private static TextValue Argument(CallValues call, int requiredCount, string name) =>
        Text(call.Callee, call.Bind(requiredCount, name)[0]);

    private static TextValue Mapped(TextValue text, CallValues call, Func<string, string> map)
    {
        call.Bind(0);
        return text.Mapped(map);
    }

    private static bool All(TextValue text, CallValues call, Func<char, bool> test)
    {
        call.Bind(0);
        return text.Text.Length > 0 && text.Text.All(test);
    }

    private static bool HasCase(TextValue text, CallValues call)
    {
        call.Bind(0);
        return text.Text.Any(character => char.IsUpper(character) || char.IsLower(character));
    }

    private static IEnumerable<string> Affixes(CallValues call, string name)
    {
        return call.Bind(1, name)[0] is SequenceValue { Kind: SequenceKind.Tuple } tuple
            ? tuple.Items.Select(Affix)
            : [Argument(call, 1, name).Text];

        string Affix(object? item)
        {
            var affix = Text(call.Callee, item).Text;
            RenderBudget.SpendOn(affix);
            return affix;
        }
    }

    private static long Count(string text, string part)
    {
        if (part.Length == 0)
            return PythonText.Length(text) + 1;
        var count = 0L;
        for (var at = PythonText.IndexOf(text, part, from: 0); at >= 0; at = PythonText.IndexOf(text, part, at + part.Length))
            count++;
        return count;
    }

    private static long Find(string text, CallValues call, bool last)
    {
        var arguments = call.Bind(1, "sub", "start", "end");
        var part = Text(call.Callee, arguments[0]).Text;
        object?[] bounds = [.. arguments[1..].Select(bound => bound is Absent ? null : bound)];
        var range = (TextValue)Members.Slice(new TextValue(text, TextOrigin.Template), bounds[0], bounds[1], null)!;
        var at = last ? PythonText.LastIndexOf(range.Text, part, range.Text.Length) : PythonText.IndexOf(range.Text, part, from: 0);
        if (at < 0)
            return -1;
        var skipped = bounds[0] is null ? 0 : Operators.Integer(bounds[0]);
        return PythonText.Length(range.Text.AsSpan(0, at)) + (skipped < 0 ? Math.Max(0, skipped + PythonText.Length(text)) : skipped);
    }

    private static long Found(long index) => index >= 0 ? index : throw new RenderProblem("the part of the string is not found");

    private static SequenceValue Partition(TextValue text, string separator, bool last)
    {
        if (separator.Length == 0)
            throw new RenderProblem("the separator is empty");
        var at = last
            ? PythonText.LastIndexOf(text.Text, separator, text.Text.Length)
            : PythonText.IndexOf(text.Text, separator, from: 0);
        var end = at + separator.Length;
        TextValue[] parts = at >= 0 ? [text.Part(0, at), text.Part(at, separator.Length), text.Part(end, text.Text.Length - end)]
            : last ? [TextValue.Empty, TextValue.Empty, text]
            : [text, TextValue.Empty, TextValue.Empty];
        return new SequenceValue(parts, SequenceKind.Tuple);
    }

    private static SequenceValue Split(TextValue text, CallValues call, bool fromRight)
    {
        var arguments = call.Bind(0, "sep", "maxsplit");
        var most = arguments[1] is Absent ? -1 : Operators.Integer(arguments[1]);
        var cuts = arguments[0] is Absent or null ? SpaceCuts(text.Text) : Cuts(text.Text, Text(call.Callee, arguments[0]).Text);
        var isSpace = arguments[0] is Absent or null;
        if (most >= 0 && cuts.Count > most)
            cuts = fromRight && !isSpace ? Cuts(text.Text, ((TextValue)arguments[0]!).Text, fromRight: true) : cuts;
        return new SequenceValue(isSpace ? SpaceParts(text, cuts, most, fromRight) : Parts(text, cuts, most, fromRight));
    }

    private static List<TextValue> Parts(TextValue text, List<(int Start, int End)> cuts, long most, bool fromRight)
    {
        if (most >= 0 && cuts.Count > most)
            cuts = fromRight ? cuts[^(int)most..] : cuts[..(int)most];
        var parts = new List<TextValue>();
        var done = 0;
        foreach (var (start, end) in cuts)
        {
            parts.Add(text.Part(done, start - done));
            done = end;
        }
        parts.Add(text.Part(done, text.Text.Length - done));
        return parts;
    }

    /// <summary>The words; where their number is limited, the rest keeps its inner white space.</summary>
    private static List<TextValue> SpaceParts(TextValue text, List<(int Start, int End)> words, long most, bool fromRight)
    {
        if (most < 0 || words.Count <= most)
            return [.. words.Select(Word)];
        var count = (int)most;
        var start = words[Math.Min(count, words.Count - 1)].Start;
        if (!fromRight)
            return [.. words[..count].Select(Word), text.Part(start, text.Text.Length - start)];
        var first = text.Part(0, words[^(count + 1)].End);
        return [first, .. words[(words.Count - count)..].Select(Word)];

        TextValue Word((int Start, int End) word) => text.Part(word.Start, word.End - word.Start);
    }

    private static List<(int Start, int End)> SpaceCuts(string text)
    {
        var words = new List<(int, int)>();
        for (var i = 0; i < text.Length; i++)
        {
            if (PythonText.IsSpace(text[i]))
                continue;
            var start = i;
            while (i < text.Length && !PythonText.IsSpace(text[i]))
                i++;
            RenderBudget.Allocate(1, 2 * sizeof(long));
            words.Add((start, i));
        }
        return words;
    }

    private static List<(int Start, int End)> Cuts(string text, string separator, bool fromRight = false)
    {
        if (separator.Length == 0)
            throw new RenderProblem("split() has an empty separator");
        var cuts = new List<(int, int)>();
        if (!fromRight)
        {
            for (var at = PythonText.IndexOf(text, separator, from: 0); at >= 0;
                at = PythonText.IndexOf(text, separator, at + separator.Length))
                Add(at);
            return cuts;
        }
        for (var at = PythonText.LastIndexOf(text, separator, text.Length); at >= 0; at = PythonText.LastIndexOf(text, separator, at))
            Add(at);
        cuts.Reverse();
        return cuts;

        void Add(int at)
        {
            RenderBudget.Allocate(1, 2 * sizeof(long));
            cuts.Add((at, at + separator.Length));
        }
    }

    private static object SplitLines(TextValue text, CallValues call)
    {
        var keepsEnds = call.Bind(0, "keepends")[0] is not Absent and var keep && Python.IsTrue(keep);
        var lines = new List<TextValue>();
        for (var start = 0; start < text.Text.Length;)
        {
            var end = start;
            while (end < text.Text.Length && !"\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029".Contains(text.Text[end]))
                end++;
            var next = Math.Min(end + 1, text.Text.Length);
            if (text.Text.AsSpan(end).StartsWith("\r\n"))
                next++;
            lines.Add(text.Part(start, (keepsEnds ? next : end) - start));
            start = next;
        }
        return new SequenceValue(lines);
    }

    private static TextValue Padded(TextValue text, CallValues call, Func<long, long, long> leftOf)
    {
        var arguments = call.Bind(1, "width", "fillchar");
        var width = Math.Max(0, Operators.Integer(arguments[0]));
        var fill = arguments[1] is Absent ? new TextValue(" ", TextOrigin.Template) : Text(call.Callee, arguments[1]);
        if (PythonText.Length(fill.Text) != 1)
            throw new RenderProblem($"{call.Callee} has '{Excerpt.Of(fill.Text)}', expected one character to fill with");
        var missing = Math.Max(0, width - PythonText.Length(text.Text));
        var left = leftOf(missing, width);
        return TextValue.Concat(TextValue.Concat(fill.Repeated(left), text), fill.Repeated(missing - left));
    }

    private static TextValue ZeroFilled(TextValue text, long width)
    {
        var zeros = new TextValue("0", TextOrigin.Template).Repeated(Math.Max(0, width) - PythonText.Length(text.Text));
        return text.Text.StartsWith('-') || text.Text.StartsWith('+')
            ? TextValue.Concat(TextValue.Concat(text.Part(0, 1), zeros), text.Part(1, text.Text.Length - 1))
            : TextValue.Concat(zeros, text);
    }
}
