using System.Globalization;

namespace RewardModel.Jinja;

/// <summary>The filter <c>tojson</c>: Python's <c>json.dumps</c>, which unlike Jinja's own leaves all characters as they are.</summary>
internal sealed class JsonText
{
    private readonly ValueWriter result = new();
    private readonly bool escapesAll;
    private readonly string? indent;
    private readonly string itemSeparator;
    private readonly string keySeparator;
    private readonly bool sortsKeys;
    private TextOrigin? origin;

    private JsonText(CallValues call)
    {
        var arguments = call.Bind(0, "ensure_ascii", "indent", "separators", "sort_keys");
        escapesAll = arguments[0] is not Absent && Python.IsTrue(arguments[0]);
        sortsKeys = arguments[3] is not Absent && Python.IsTrue(arguments[3]);
        indent = arguments[1] switch
        {
            Absent or null => null,
            TextValue text => text.Text,
            var count => new string(' ', (int)Math.Clamp(Operators.Integer(count), 0, 100)),
        };
        (itemSeparator, keySeparator) = (indent is null ? ", " : ",", ": ");
        if (arguments[2] is SequenceValue { Items: [TextValue between, TextValue afterKey] })
            (itemSeparator, keySeparator) = (between.Text, afterKey.Text);
    }

    public static TextValue Write(object? value, CallValues call)
    {
        var json = new JsonText(call);
        json.Append(value, 0);
        return new TextValue(json.result.ToString(), json.origin ?? TextOrigin.Template);
    }

    private void Append(object? value, int depth)
    {
        RenderBudget.CheckStack();
        RenderBudget.Spend(1);
        switch (value)
        {
            case TextValue text:
                AppendString(text);
                break;
            case DictValue dict:
                AppendItems('{', '}', [.. InOrder(dict)], depth, item =>
                {
                    AppendString(KeyText(item.Key));
                    result.Append(keySeparator);
                    Append(item.Value, depth + 1);
                });
                break;
            case SequenceValue { Kind: SequenceKind.List or SequenceKind.Tuple } list:
                AppendItems('[', ']', list.Items, depth, item => Append(item, depth + 1));
                break;
            case null or bool or long or double:
                result.Append(Scalar(value));
                break;
            case Undefined undefined:
                throw new RenderProblem(undefined.Problem);
            default:
                throw new RenderProblem($"tojson: {Python.TypeName(value)} can't be written as JSON");
        }
    }

    private IEnumerable<KeyValuePair<object?, object?>> InOrder(DictValue dict) => sortsKeys
        ? StableSort.Of(dict.Items, item => item.Key, isDescending: false)
        : dict.Items;

    private void AppendItems<T>(char start, char end, IReadOnlyList<T> items, int depth, Action<T> append)
    {
        result.Append(start);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                result.Append(itemSeparator);
            AppendLineStart(depth + 1);
            append(items[i]);
        }
        if (items.Count > 0)
            AppendLineStart(depth);
        result.Append(end);
    }

    private void AppendLineStart(int depth)
    {
        if (indent is null)
            return;
        result.Append('\n');
        for (var i = 0; i < depth; i++)
            result.Append(indent);
    }

    private static TextValue KeyText(object? key) => key switch
    {
        TextValue text => text,
        null or bool or long or double => new TextValue(Scalar(key), TextOrigin.Template),
        _ => throw new RenderProblem($"tojson: {Python.TypeName(key)} can't be a key"),
    };

    private static string Scalar(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number when double.IsNaN(number) => "NaN",
        double number when double.IsInfinity(number) => number > 0 ? "Infinity" : "-Infinity",
        var number => Python.Number((double)number),
    };

    private void AppendString(TextValue text)
    {
        origin = origin is { } before ? TextValue.Combined(before, text.Origin) : text.Origin;
        result.Append('"');
        foreach (var character in text.Text)
            if (EscapeOf(character) is { } escape)
                result.Append(escape);
            else
                result.Append(character);
        result.Append('"');
    }
    private string? EscapeOf(char character) => character switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\b' => "\\b",
        '\f' => "\\f",
        < ' ' => $"\\u{(int)character:x4}",
        > '~' when escapesAll => $"\\u{(int)character:x4}",
        _ => null,
    };
}
