using System.Globalization;

namespace RewardModel.Jinja;

/// <summary>Values as Python sees them: whether they count as true, what they are called, how they are written and looped over.</summary>
internal static class Python
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        TextValue text => text.Text.Length > 0,
        SequenceValue sequence => sequence.Items.Count > 0,
        DictValue dict => dict.Items.Count > 0,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "None",
        Undefined => "an undefined value",
        bool => "a truth value",
        long => "an integer",
        double => "a number",
        TextValue => "a string",
        SequenceValue { Kind: SequenceKind.Tuple } => "a tuple",
        SequenceValue { Kind: SequenceKind.List } => "a list",
        SequenceValue => "a sequence",
        GeneratorValue => "a generator",
        DictValue => "a dictionary",
        NamespaceValue => "a namespace",
        LoopValue => "the loop",
        _ => "a function",
    };

    /// <summary>The levels of lists and dictionaries that a value has; 0 where it is neither.</summary>
    public static int Depth(object? value) => value switch
    {
        SequenceValue sequence => sequence.Depth,
        DictValue dict => dict.Depth,
        _ => 0,
    };

    /// <summary>What a loop goes through.</summary>
    public static IEnumerable<object?> Items(object? value)
    {
        switch (value)
        {
            case Undefined:
                return [];
            case TextValue text:
                return PythonText.Characters(text);
            case SequenceValue sequence:
                RenderBudget.Spend(sequence.Items.Count / 8);
                return sequence.Items;
            case DictValue dict:
                RenderBudget.Spend(dict.Items.Count / 8);
                return dict.Items.Select(item => item.Key);
            case GeneratorValue generator:
                return generator.Rest();
            default:
                throw new RenderProblem($"{TypeName(value)} has no items to go through");
        }
    }

    /// <summary>What a loop goes through, as a list of its own.</summary>
    public static object?[] ItemArray(object? value)
    {
        RenderBudget.Allocate((value as SequenceValue)?.Items.Count ?? (value as DictValue)?.Items.Count ?? 0, sizeof(long));
        return [.. Items(value)];
    }

    public static long Length(object? value) => value switch
    {
        Undefined => 0,
        TextValue text => PythonText.Length(text.Text),
        SequenceValue sequence => sequence.Items.Count,
        DictValue dict => dict.Items.Count,
        _ => throw new RenderProblem($"{TypeName(value)} has no length"),
    };

    /// <summary>Python's <c>str</c>.</summary>
    public static TextValue Text(object? value)
    {
        if (value is TextValue text)
            return text;
        if (value is Undefined)
            return TextValue.Empty;
        var result = new ValueWriter();
        var origin = AppendRepr(result, value, TextOrigin.Template, isFirst: true);
        return new TextValue(result.ToString(), origin);
    }

    /// <summary>Python's <c>repr</c>.</summary>
    public static string Repr(object? value)
    {
        var result = new ValueWriter();
        AppendRepr(result, value, TextOrigin.Template, isFirst: true);
        return result.ToString();
    }

    public static string Number(double number)
    {
        if (double.IsNaN(number))
            return "nan";
        if (double.IsInfinity(number))
            return number > 0 ? "inf" : "-inf";
        var digits = number.ToString("E16", CultureInfo.InvariantCulture);
        var exponent = number == 0 ? 0 : int.Parse(digits.AsSpan(digits.IndexOf('E') + 1), CultureInfo.InvariantCulture);
        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        if (exponent is >= -4 and < 16)
        {
            var plain = shortest.Contains('E') ? decimal.Parse(shortest, NumberStyles.Float, CultureInfo.InvariantCulture)
                .ToString(CultureInfo.InvariantCulture) : shortest;
            return plain.Contains('.') ? plain : $"{plain}.0";
        }
        if (!shortest.Contains('E'))
            shortest = number.ToString("0.################E+0", CultureInfo.InvariantCulture);
        var mark = shortest.IndexOf('E');
        var power = int.Parse(shortest.AsSpan(mark + 1), CultureInfo.InvariantCulture);
        return $"{shortest[..mark]}e{(power < 0 ? '-' : '+')}{Math.Abs(power):00}";
    }

    private static TextOrigin AppendRepr(ValueWriter result, object? value, TextOrigin origin, bool isFirst)
    {
        RenderBudget.CheckStack();
        RenderBudget.Spend(1);
        switch (value)
        {
            case null:
                result.Append("None");
                break;
            case Undefined:
                result.Append("Undefined");
                break;
            case bool flag:
                result.Append(flag ? "True" : "False");
                break;
            case long number:
                result.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                result.Append(Number(number));
                break;
            case TextValue text:
                result.Append(text.IsMarkup ? "Markup(" : "");
                PythonText.AppendRepr(result, text.Text);
                result.Append(text.IsMarkup ? ")" : "");
                return isFirst ? text.Origin : TextValue.Combined(origin, text.Origin);
            case SequenceValue { Kind: SequenceKind.Range } range:
                result.Append($"range({RangeText(range)})");
                break;
            case SequenceValue sequence:
                return AppendSequence(result, sequence, origin);
            case DictValue dict:
                return AppendDict(result, dict, origin);
            default:
                throw new RenderProblem($"{TypeName(value)} can't be written as text");
        }
        return origin;
    }

    private static TextOrigin AppendSequence(ValueWriter result, SequenceValue sequence, TextOrigin origin)
    {
        var (start, end) = sequence.Kind switch
        {
            SequenceKind.List => ("[", "]"),
            SequenceKind.Tuple => ("(", sequence.Items.Count == 1 ? ",)" : ")"),
            var kind => ($"dict_{kind.ToString().ToLowerInvariant()}([", "])"),
        };
        result.Append(start);
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            if (i > 0)
                result.Append(", ");
            origin = AppendRepr(result, sequence.Items[i], origin, isFirst: false);
        }
        result.Append(end);
        return origin;
    }

    private static TextOrigin AppendDict(ValueWriter result, DictValue dict, TextOrigin origin)
    {
        result.Append('{');
        for (var i = 0; i < dict.Items.Count; i++)
        {
            if (i > 0)
                result.Append(", ");
            origin = AppendRepr(result, dict.Items[i].Key, origin, isFirst: false);
            result.Append(": ");
            origin = AppendRepr(result, dict.Items[i].Value, origin, isFirst: false);
        }
        result.Append('}');
        return origin;
    }

    private static string RangeText(SequenceValue range)
    {
        if (range.Items.Count == 0)
            return "0, 0";
        var (first, last) = ((long)range.Items[0]!, (long)range.Items[^1]!);
        var step = range.Items.Count > 1 ? (long)range.Items[1]! - first : 1;
        var end = ((Int128)last + step).ToString(CultureInfo.InvariantCulture);
        return step == 1 ? $"{first}, {end}" : $"{first}, {end}, {step}";
    }
}
