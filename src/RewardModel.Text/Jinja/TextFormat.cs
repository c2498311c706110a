using System.Globalization;

namespace RewardModel.Jinja;

/// <summary>Python's <c>'...' % values</c>, <c>'...'.format()</c> and <c>strftime</c>, as far as templates need them.</summary>
internal static class TextFormat
{
    /// <param name="format">The text with its placeholders.</param>
    /// <param name="values">The values, one for each placeholder.</param>
    /// <param name="all">What placeholders with a name are looked up in, if it is a dictionary.</param>
    public static TextValue Percent(TextValue format, IReadOnlyList<object?> values, object? all)
    {
        if (format.IsMarkup)
            throw new RenderProblem("'%' is not supported for a text that the filter 'safe' has marked; mark what comes out instead");
        var text = format.Text;
        var result = new TextValue.Builder();
        var used = 0;
        var done = 0;
        for (var start = text.IndexOf('%'); start >= 0; start = text.IndexOf('%', done))
        {
            result.Append(format.Part(done, start - done));
            var index = start + 1;
            object? named = null;
            var isNamed = false;
            if (index < text.Length && text[index] == '(' && text.IndexOf(')', index) is > 0 and var close)
            {
                named = all is DictValue dict && dict.TryGet(text[(index + 1)..close], out var member)
                    ? member
                    : throw new RenderProblem($"the format has '{Excerpt.Of(text[start..(close + 1)])}', but there is no such key");
                isNamed = true;
                index = close + 1;
                used = values.Count;
            }
            var zeros = index < text.Length && text[index] == '0';
            var width = ReadNumber(text, ref index);
            int? precision = null;
            if (index < text.Length && text[index] == '.')
            {
                index++;
                precision = ReadNumber(text, ref index);
            }
            var kind = index < text.Length ? text[index] : default;
            done = Math.Min(index + 1, text.Length);
            if (kind == '%')
            {
                result.Append(format.Part(index, 1));
                continue;
            }
            if (!isNamed && used >= values.Count)
                throw new RenderProblem($"the format has more placeholders than the {values.Count} values");
            RenderBudget.Spend(1);
            var part = One(kind, precision, isNamed ? named : values[used++], text[start..done]);
            var missing = width - PythonText.Length(part.Text);
            if (missing > 0)
                part = zeros && kind != 's' && kind != 'r'
                    ? part.With(part.Text.StartsWith('-')
                        ? $"-{new string('0', missing)}{part.Text[1..]}"
                        : new string('0', missing) + part.Text)
                    : TextValue.Concat(new TextValue(new string(' ', missing), TextOrigin.Template), part);
            result.Append(part);
        }
        result.Append(format.Part(done, text.Length - done));
        return used < values.Count && all is not DictValue
            ? throw new RenderProblem($"the format has {used} placeholders for {values.Count} values")
            : result.ToText();
    }

    /// <summary>Placeholders {}, {0} and {name}, without further options.</summary>
    public static TextValue Braces(TextValue format, CallValues call)
    {
        var text = format.Text;
        var result = new TextValue.Builder();
        var next = 0;
        var done = 0;
        for (var at = NextBrace(0); at >= 0; at = NextBrace(done))
        {
            RenderBudget.Spend(1 + call.Named.Count / 8);
            result.Append(format.Part(done, at - done));
            if (at + 1 < text.Length && text[at + 1] == text[at])
            {
                result.Append(format.Part(at, 1));
                done = at + 2;
            }
            else if (text[at] == '{' && text.IndexOf('}', at) is > 0 and var end)
            {
                var name = text[(at + 1)..end];
                result.Append(Python.Text(name.Length == 0 ? Positional(call, next++)
                    : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? Positional(call, index)
                    : call.Named.Any(pair => pair.Key == name) ? call.Named.First(pair => pair.Key == name).Value
                    : throw new RenderProblem($"format(): the placeholder '{{{Excerpt.Of(name)}}}' is not supported, or has no value")));
                done = end + 1;
            }
            else
            {
                throw new RenderProblem($"format(): a lone '{text[at]}'");
            }
        }
        result.Append(format.Part(done, text.Length - done));
        return result.ToText();

        int NextBrace(int from) => text.AsSpan(from).IndexOfAny('{', '}') is >= 0 and var index ? from + index : -1;
    }

    /// <summary>A time by the codes of C's <c>strftime</c>, in English.</summary>
    public static string Time(DateTime time, string format)
    {
        var result = new ValueWriter();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            var isBare = format[++i] == '-' && i + 1 < format.Length;
            var code = isBare ? format[++i] : format[i];
            var text = code switch
            {
                'Y' => "yyyy",
                'y' => "yy",
                'm' => "MM",
                'd' => "dd",
                'e' => "%d",
                'H' => "HH",
                'I' => "hh",
                'M' => "mm",
                'S' => "ss",
                'p' => "tt",
                'B' => "MMMM",
                'b' or 'h' => "MMM",
                'A' => "dddd",
                'a' => "ddd",
                'F' => "yyyy-MM-dd",
                'T' => "HH:mm:ss",
                'j' or '%' => "",
                _ => throw new RenderProblem($"strftime_now(): the code '%{code}' is not supported"),
            };
            var part = code == '%' ? "%" : code == 'j'
                ? time.DayOfYear.ToString("000", CultureInfo.InvariantCulture)
                : time.ToString(text, CultureInfo.InvariantCulture);
            result.Append(isBare ? part.TrimStart('0').PadLeft(1, '0') : code == 'e' ? part.PadLeft(2) : part);
        }
        return result.ToString();
    }

    private static object? Positional(CallValues call, int index) => index < call.Positional.Count
        ? call.Positional[index]
        : throw new RenderProblem($"format(): there are {call.Positional.Count} values, but a placeholder for one more");

    private static int ReadNumber(string text, ref int index)
    {
        var start = index;
        while (index < text.Length && char.IsAsciiDigit(text[index]) && index - start < 4)
            index++;
        return index > start ? int.Parse(text.AsSpan(start, index - start), CultureInfo.InvariantCulture) : 0;
    }

    private static TextValue One(char kind, int? precision, object? value, string placeholder)
    {
        switch (kind)
        {
            case 's':
                var text = Python.Text(value);
                return precision is { } length && PythonText.Starts(text.Text) is var starts && length < starts.Count - 1
                    ? text.Part(0, starts[length])
                    : text;
            case 'r':
                return new TextValue(Python.Repr(value), Python.Text(value).Origin);
            case 'd' or 'i' when Operators.IsNumber(value):
                return Plain(Operators.Truncated(value).ToString(CultureInfo.InvariantCulture));
            case 'x' when value is long number:
                var digits = Int128.Abs(number).ToString("x", CultureInfo.InvariantCulture).TrimStart('0').PadLeft(1, '0');
                return Plain(number < 0 ? $"-{digits}" : digits);
            case 'f' when Operators.IsNumber(value):
                return Plain(Operators.Number(value).ToString($"F{precision ?? 6}", CultureInfo.InvariantCulture));
            default:
                throw new RenderProblem($"the placeholder '{Excerpt.Of(placeholder)}' is not supported for {Python.TypeName(value)}");
        }
    }

    private static TextValue Plain(string text) => new(text, TextOrigin.Template);
}
