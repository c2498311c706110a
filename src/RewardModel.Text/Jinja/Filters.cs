using System.Globalization;

namespace RewardModel.Jinja;

/// <summary>Jinja's filters, with <c>tojson</c> as transformers sets it up.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Func<object?, CallValues, object?>> filters = new(StringComparer.Ordinal)
    {
        ["abs"] = (value, _) => value is double number ? Math.Abs(number)
            : Operators.Integer(value) is >= 0 and var positive ? positive : Operators.Negated(value),
        ["attr"] = (value, call) => Members.Member(value, Python.Text(call.Bind(1, "name")[0]).Text),
        ["batch"] = Batch,
        ["capitalize"] = (value, _) => Mapped(value, PythonText.Capitalized),
        ["center"] = (value, call) => Centered(Python.Text(value), call),
        ["count"] = (value, _) => Python.Length(value),
        ["d"] = Default,
        ["default"] = Default,
        ["dictsort"] = DictSort,
        ["e"] = (value, _) => Python.Text(value).Escaped(),
        ["escape"] = (value, _) => Python.Text(value).Escaped(),
        ["first"] = (value, _) => First(Python.Items(value)),
        ["float"] = (value, call) => Float(value, call.Bind(0, "default")[0]),
        ["format"] = (value, call) => TextFormat.Percent(
            Python.Text(value), call.Positional, call.Named.Count > 0 ? Globals.Dict(call.Named) : null),
        ["groupby"] = GroupBy,
        ["indent"] = Indent,
        ["int"] = (value, call) => Integer(value, call.Bind(0, "default", "base")),
        ["items"] = (value, _) => value is Undefined ? new SequenceValue([]) : value is DictValue dict
            ? Pairs(dict)
            : throw new RenderProblem($"{Python.TypeName(value)} has no items of keys and values"),
        ["join"] = Join,
        ["last"] = (value, _) => Last(value),
        ["length"] = (value, _) => Python.Length(value),
        ["list"] = (value, _) => new SequenceValue(Python.ItemArray(value)),
        ["lower"] = (value, _) => Mapped(value, TextMethods.Lower),
        ["map"] = Map,
        ["max"] = (value, call) => Extreme(value, call, sign: 1),
        ["min"] = (value, call) => Extreme(value, call, sign: -1),
        ["reject"] = (value, call) => Select(value, call, wanted: false, ofAttribute: false),
        ["rejectattr"] = (value, call) => Select(value, call, wanted: false, ofAttribute: true),
        ["replace"] = (value, call) => TextMethods.Replace(
            Python.Text(value).Marked(false),
            [.. call.Bind(2, "old", "new", "count").Select(item => item is Absent or null ? item : AsReplaceable(item))]),
        ["reverse"] = (value, _) => Reversed(value),
        ["round"] = Round,
        ["safe"] = (value, _) => Python.Text(value).Marked(true),
        ["select"] = (value, call) => Select(value, call, wanted: true, ofAttribute: false),
        ["selectattr"] = (value, call) => Select(value, call, wanted: true, ofAttribute: true),
        ["sort"] = Sort,
        ["string"] = (value, _) => Python.Text(value),
        ["sum"] = Sum,
        ["title"] = (value, _) => Mapped(value, Title).Marked(false),
        ["tojson"] = JsonText.Write,
        ["trim"] = (value, call) => TextMethods.Strip(Python.Text(value), call, left: true, right: true),
        ["truncate"] = Truncate,
        ["unique"] = Unique,
        ["upper"] = (value, _) => Mapped(value, TextMethods.Upper),
        ["wordcount"] = (value, _) => (long)WordCount(Python.Text(value).Text),
    };

    public static IReadOnlyCollection<string> Names => filters.Keys;

    public static object? Apply(string name, object? value, CallValues call) =>
        (filters.TryGetValue(name, out var filter) ? filter : throw Unsupported(name))(value, call);

    public static RenderProblem Unsupported(string name) =>
        new($"the filter '{Excerpt.Of(name)}' is not supported; supported are {string.Join(", ", Names.Order())}");

    private static TextValue Mapped(object? value, Func<string, string> map) => Python.Text(value).Mapped(map);

    private static object AsReplaceable(object item) => item is TextValue or long ? item : Python.Text(item);

    private static object? Default(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "default_value", "boolean");
        var replaces = value is Undefined || (arguments[1] is not Absent && Python.IsTrue(arguments[1]) && !Python.IsTrue(value));
        return !replaces ? value : arguments[0] is Absent ? TextValue.Empty : arguments[0];
    }

    private static TextValue Centered(TextValue text, CallValues call)
    {
        var width = call.Bind(0, "width")[0] is not Absent and var given ? given : 80L;
        return (TextValue)TextMethods.Find(text, "center")!.Invoke(new CallValues("center", [width], []))!;
    }

    private static object? First(IEnumerable<object?> items)
    {
        foreach (var item in items)
            return item;
        return new Undefined("there is no first item, the sequence is empty");
    }

    private static object? Last(object? value) => value is GeneratorValue
        ? throw new RenderProblem("a generator has no last item; use the filter 'list' first")
        : value is TextValue { Text.Length: > 0 } text ? Members.Item(text, -1L)
        : Python.ItemArray(value) is [.., var last] ? last
        : new Undefined("there is no last item, the sequence is empty");

    private static object Reversed(object? value)
    {
        if (value is TextValue)
            return Members.Slice(value, null, null, -1L)!;
        var items = Python.ItemArray(value);
        Array.Reverse(items);
        return value is GeneratorValue or SequenceValue { Kind: SequenceKind.Values }
            ? new SequenceValue(items)
            : new GeneratorValue(items);
    }

    private static SequenceValue Pairs(DictValue dict) =>
        new([.. dict.Items.Select(item => new SequenceValue([item.Key, item.Value], SequenceKind.Tuple))]);

    private static object Float(object? value, object? standard) => value switch
    {
        long or bool or double => Operators.Number(value),
        TextValue text when double.TryParse(text.Text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => standard is Absent ? 0.0 : standard!,
    };

    private static object Integer(object? value, object?[] arguments)
    {
        var radix = arguments[1] is Absent ? 10 : Operators.Integer(arguments[1]);
        if (radix != 10)
            throw new RenderProblem($"the filter 'int' has the base {radix}, only 10 is supported");
        return value switch
        {
            long or bool => Operators.Integer(value),
            double number when double.IsFinite(number) => Operators.Truncated(number),
            TextValue text when long.TryParse(
                text.Text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
            TextValue text when double.TryParse(text.Text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && double.IsFinite(number) => Operators.Truncated(number),
            _ => arguments[0] is Absent ? 0L : arguments[0]!,
        };
    }

    private static object Round(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "precision", "method");
        var precision = arguments[0] is Absent ? 0 : (int)Math.Clamp(Operators.Integer(arguments[0]), 0, 15);
        var number = Operators.Number(value);
        var factor = Math.Pow(10, precision);
        return (arguments[1] is Absent ? "common" : Python.Text(arguments[1]).Text) switch
        {
            "common" => Math.Round(number, precision, MidpointRounding.ToEven),
            "ceil" => Math.Ceiling(number * factor) / factor,
            "floor" => Math.Floor(number * factor) / factor,
            var method => throw new RenderProblem(
                $"the filter 'round' has the method '{Excerpt.Of(method)}', expected common, ceil or floor"),
        };
    }

    private static object Indent(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "width", "first", "blank");
        var indent = arguments[0] is TextValue text ? text
            : new TextValue(" ", TextOrigin.Template).Repeated(arguments[0] is Absent ? 4 : Operators.Integer(arguments[0]));
        var (first, blank) = (IsTrue(arguments[1]), IsTrue(arguments[2]));
        var given = Python.Text(value);
        var whole = Operators.Joined(given, new TextValue("\n", TextOrigin.Template)).Marked(given.IsMarkup);
        var result = new TextValue.Builder();
        var lines = ((SequenceValue)TextMethods.Find(whole, "splitlines")!.Invoke(new CallValues("splitlines", [], []))!).Items;
        for (var i = 0; i < lines.Count; i++)
        {
            var line = (TextValue)lines[i]!;
            if (i > 0)
                result.Append(new TextValue("\n", TextOrigin.Template));
            if (i == 0 ? first : blank || line.Text.Length > 0)
                result.Append(indent);
            result.Append(line);
        }
        return result.ToText().Marked(whole.IsMarkup);
    }

    private static bool IsTrue(object? argument) => argument is not Absent && Python.IsTrue(argument);

    private static object Join(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "d", "attribute");
        var separator = arguments[0] is Absent ? TextValue.Empty : Python.Text(arguments[0]);
        return TextMethods.Join(separator, Python.Items(value).Select(Key(arguments[1])).Select(item => (object?)Python.Text(item)));
    }

    /// <summary>What an attribute's name, with dots between several, stands for; the item itself where there is none.</summary>
    private static Func<object?, object?> Key(object? attribute, object? standard = null)
    {
        if (attribute is Absent or null)
            return item => item;
        var names = Python.Text(attribute).Text;
        RenderBudget.Allocate(names.AsSpan().Count('.') + 1, 16 * sizeof(long));
        object[] parts =
        [
            .. names.Split('.').Select(part =>
                long.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index)
                    ? (object)index
                    : new TextValue(part, TextOrigin.Template)),
        ];
        return item =>
        {
            foreach (var part in parts)
            {
                RenderBudget.Spend(1);
                item = Members.Item(item, part);
                if (item is Undefined && standard is not null and not Absent)
                    return standard;
            }
            return item;
        };
    }

    private static object Map(object? value, CallValues call)
    {
        if (call.Positional.Count == 0)
        {
            var arguments = call.Bind(0, "attribute", "default");
            if (arguments[0] is Absent)
                throw new RenderProblem("the filter 'map' lacks the name of a filter or an attribute");
            var key = Key(arguments[0], arguments[1]);
            return new GeneratorValue(ItemsIfTrue(value).Select(key));
        }
        var name = Python.Text(call.Positional[0]).Text;
        if (!filters.TryGetValue(name, out var filter))
            throw Unsupported(name);
        var rest = new CallValues($"the filter '{name}'", [.. call.Positional.Skip(1)], call.Named);
        return new GeneratorValue(ItemsIfTrue(value).Select(item => filter(item, rest)));
    }

    private static object Select(object? value, CallValues call, bool wanted, bool ofAttribute)
    {
        var skipped = ofAttribute ? 1 : 0;
        if (call.Positional.Count < skipped)
            throw new RenderProblem($"{call.Callee} lacks the name of an attribute");
        Func<object?, object?> key = ofAttribute ? Key(call.Positional[0]) : item => item;
        var rest = call.Positional.Skip(skipped).ToArray();
        if (rest.Length == 0)
            return new GeneratorValue(ItemsIfTrue(value).Where(item => Python.IsTrue(key(item)) == wanted));
        var name = Python.Text(rest[0]).Text;
        if (!Tests.Names.Contains(name))
            throw Tests.Unsupported(name);
        var arguments = new CallValues($"the test '{name}'", rest[1..], call.Named);
        return new GeneratorValue(ItemsIfTrue(value).Where(item => Tests.Apply(name, key(item), arguments) == wanted));
    }

    /// <summary>What a loop goes through, looked at when it does; nothing where the value counts as false, as none does.</summary>
    private static IEnumerable<object?> ItemsIfTrue(object? value)
    {
        if (!Python.IsTrue(value))
            yield break;
        foreach (var item in Python.Items(value))
            yield return item;
    }

    private static object? Folded(object? value, bool caseSensitive) =>
        value is TextValue text && !caseSensitive ? text.Mapped(TextMethods.Lower) : value;

    private static object Sort(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "reverse", "case_sensitive", "attribute");
        var (key, isCaseSensitive) = (Key(arguments[2]), IsTrue(arguments[1]));
        return new SequenceValue(StableSort.Of(
            Python.ItemArray(value), item => Folded(key(item), isCaseSensitive), isDescending: IsTrue(arguments[0])));
    }

    private static object DictSort(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "case_sensitive", "by", "reverse");
        var by = arguments[1] is Absent ? "key" : Python.Text(arguments[1]).Text;
        if (by is not ("key" or "value"))
            throw new RenderProblem($"the filter 'dictsort' sorts by '{Excerpt.Of(by)}', expected key or value");
        var pairs = Pairs(value as DictValue ?? throw new RenderProblem($"{Python.TypeName(value)} can't be sorted as a dictionary"));
        return new SequenceValue(StableSort.Of(
            pairs.Items, item => Folded(((SequenceValue)item!).Items[by == "key" ? 0 : 1], IsTrue(arguments[0])), IsTrue(arguments[2])));
    }

    private static object GroupBy(object? value, CallValues call)
    {
        var arguments = call.Bind(1, "attribute", "default", "case_sensitive");
        var (key, isCaseSensitive) = (Key(arguments[0], arguments[1]), IsTrue(arguments[2]));
        var groups = new List<object?>();
        var members = new List<object?>();
        object? last = null;
        foreach (var item in StableSort.Of(Python.ItemArray(value), item => Folded(key(item), isCaseSensitive), isDescending: false))
        {
            var itemKey = key(item);
            if (members.Count > 0 && !Operators.AreEqual(Folded(itemKey, isCaseSensitive), Folded(last, isCaseSensitive)))
                AddGroup();
            if (members.Count == 0)
                last = itemKey;
            members.Add(item);
        }
        if (members.Count > 0)
            AddGroup();
        return new SequenceValue(groups);

        void AddGroup()
        {
            groups.Add(new SequenceValue([last, new SequenceValue([.. members])], SequenceKind.Tuple));
            members.Clear();
        }
    }

    private static object? Extreme(object? value, CallValues call, int sign)
    {
        var arguments = call.Bind(0, "case_sensitive", "attribute");
        var key = Key(arguments[1]);
        object? best = new Undefined("there is no item, the sequence is empty");
        object? bestKey = null;
        var isFirst = true;
        foreach (var item in Python.Items(value))
        {
            var itemKey = Folded(key(item), IsTrue(arguments[0]));
            if (isFirst || Operators.Order("<", itemKey, bestKey) * sign > 0)
                (best, bestKey) = (item, itemKey);
            isFirst = false;
        }
        return best;
    }

    private static object Unique(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "case_sensitive", "attribute");
        var key = Key(arguments[1]);
        var seen = new DictValue();
        var result = new List<object?>();
        foreach (var item in Python.Items(value))
        {
            var itemKey = Folded(key(item), IsTrue(arguments[0]));
            if (!seen.TryGet(itemKey, out _))
                result.Add(item);
            seen[itemKey] = true;
        }
        return new GeneratorValue(result);
    }

    private static object? Sum(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "attribute", "start");
        return Python.Items(value).Select(Key(arguments[0])).Aggregate(
            arguments[1] is Absent ? 0L : arguments[1], (sum, item) => Operators.Apply("+", sum, item));
    }

    private static object Batch(object? value, CallValues call)
    {
        var arguments = call.Bind(1, "linecount", "fill_with");
        var size = Operators.Integer(arguments[0]);
        if (size is < 1 or > int.MaxValue)
            throw new RenderProblem($"the filter 'batch' has the size {size}, expected at least 1 and at most {int.MaxValue}");
        var rows = new List<object?>();
        foreach (var row in Python.Items(value).Chunk((int)size))
        {
            var missing = arguments[1] is Absent or null ? 0 : (int)size - row.Length;
            RenderBudget.Allocate(missing, sizeof(long));
            rows.Add(new SequenceValue([.. row, .. Enumerable.Repeat(arguments[1], missing)]));
        }
        return new GeneratorValue(rows);
    }

    private static object Truncate(object? value, CallValues call)
    {
        var arguments = call.Bind(0, "length", "killwords", "end", "leeway");
        var text = Python.Text(value);
        var length = arguments[0] is Absent ? 255 : Math.Min(int.MaxValue, Operators.Integer(arguments[0]));
        var end = arguments[2] is Absent ? new TextValue("...", TextOrigin.Template) : Python.Text(arguments[2]);
        var leeway = arguments[3] is Absent or null ? 5 : Math.Min(int.MaxValue, Operators.Integer(arguments[3]));
        var endLength = PythonText.Length(end.Text);
        if (length < endLength || leeway < 0)
            throw new RenderProblem($"the filter 'truncate' has the length {length}, expected at least that of '{Excerpt.Of(end.Text)}'");
        if (PythonText.Length(text.Text) <= length + leeway)
            return text;
        var kept = (TextValue)Members.Slice(text, null, length - endLength, null)!;
        if (!IsTrue(arguments[1]) && kept.Text.LastIndexOf(' ') is >= 0 and var space)
            kept = kept.Part(0, space);
        return Operators.Added(kept, end);
    }

    /// <summary>Jinja's own titles: a word starts after white space, a hyphen or an opening bracket.</summary>
    private static string Title(string text)
    {
        var result = new System.Text.StringBuilder(text.Length);
        var word = 0;
        for (var i = 0; i <= text.Length; i++)
            if (i == text.Length || PythonText.IsSpace(text[i]) || text[i] is '-' or '(' or '{' or '[' or '<')
            {
                result.Append(PythonText.Capitalized(text[word..i]));
                if (i < text.Length)
                    result.Append(text[i]);
                word = i + 1;
            }
        return result.ToString();
    }

    private static int WordCount(string text)
    {
        var count = 0;
        for (var i = 0; i < text.Length; i++)
            if (IsWord(text[i]) && (i == 0 || !IsWord(text[i - 1])))
                count++;
        return count;
    }

    private static bool IsWord(char character) => char.IsLetterOrDigit(character) || character == '_' || char.IsSurrogate(character);
}
