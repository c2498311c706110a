namespace RewardModel.Jinja;

/// <summary>Python's operators on the values of a template.</summary>
internal static class Operators
{
    public static object? Apply(string name, object? left, object? right)
    {
        foreach (var operand in (object?[])[left, right])
            if (operand is Undefined undefined && name != "~")
                throw new RenderProblem(undefined.Problem);
        switch (name, left, right)
        {
            case ("~", _, _):
                return Joined(Python.Text(left), Python.Text(right)).Marked(false);
            case ("+", TextValue first, TextValue second):
                return Added(first, second);
            case ("+", SequenceValue { HasIndices: true } first, SequenceValue { HasIndices: true } second)
                when first.Kind == second.Kind:
                CheckLength((long)first.Items.Count + second.Items.Count);
                return new SequenceValue([.. first.Items, .. second.Items], first.Kind);
            case ("*", TextValue text, long or bool):
                return Repeated(text, Integer(right));
            case ("*", long or bool, TextValue text):
                return Repeated(text, Integer(left));
            case ("*", SequenceValue list, long or bool):
                CheckLength(list.Items.Count * Math.Max(0, Integer(right)));
                var copies = Enumerable.Repeat(list.Items, (int)Math.Max(0, Integer(right)));
                return list with { Items = [.. copies.SelectMany(items => items)] };
            case ("%", TextValue format, _):
                var values = right is SequenceValue { Kind: SequenceKind.Tuple } tuple ? tuple.Items : [right];
                return TextFormat.Percent(format, values, right);
        }
        if (!IsNumber(left) || !IsNumber(right))
            throw new RenderProblem($"'{name}' is not for {Python.TypeName(left)} and {Python.TypeName(right)}");
        return left is double || right is double || name == "/"
            ? OfNumbers(name, Number(left), Number(right))
            : OfIntegers(name, Integer(left), Integer(right));
    }

    public static object? Negated(object? value) => value switch
    {
        double number => (object)-number,
        long or bool => -Integer(value),
        _ => throw new RenderProblem($"'-' is not for {Python.TypeName(value)}"),
    };

    /// <summary>Python's <c>+</c> of strings: where one is marked as safe, the other is escaped.</summary>
    public static TextValue Added(TextValue first, TextValue second) => first.IsMarkup || second.IsMarkup
        ? Joined(first.Escaped(), second.Escaped()).Marked(true)
        : Joined(first, second);

    public static TextValue Joined(TextValue first, TextValue second)
    {
        CheckLength((long)first.Text.Length + second.Text.Length);
        return TextValue.Concat(first, second);
    }

    public static TextValue Repeated(TextValue text, long count)
    {
        CheckLength(text.Text.Length * Math.Clamp(count, 0, Python.MaxTextLength + 1L));
        var result = new TextValue.Builder();
        for (var i = 0L; text.Text.Length > 0 && i < count; i++)
            result.Append(text);
        return result.ToText().Marked(text.IsMarkup);
    }

    public static void CheckLength(long length)
    {
        if (length > Python.MaxTextLength)
            throw new RenderProblem($"a value would have more than {Python.MaxTextLength} parts");
    }

    public static bool Compare(string name, object? left, object? right) => name switch
    {
        "==" => AreEqual(left, right),
        "!=" => !AreEqual(left, right),
        "in" => Contains(right, left),
        "not in" => !Contains(right, left),
        "<" => Order(name, left, right) < 0,
        "<=" => Order(name, left, right) <= 0,
        ">" => Order(name, left, right) > 0,
        _ => Order(name, left, right) >= 0,
    };

    public static bool AreEqual(object? left, object? right, int depth = 0)
    {
        if (depth > 100)
            throw new RenderProblem("values of more than 100 levels can't be compared");
        return (left, right) switch
        {
            (null, null) or (Undefined, Undefined) => true,
            (TextValue first, TextValue second) => first.Text == second.Text,
            (SequenceValue first, SequenceValue second) => first.Kind == second.Kind && first.Items.Count == second.Items.Count
                && first.Items.Zip(second.Items).All(pair => AreEqual(pair.First, pair.Second, depth + 1)),
            (DictValue first, DictValue second) => first.Items.Count == second.Items.Count
                && first.Items.All(item => second.TryGet(item.Key, out var value) && AreEqual(item.Value, value, depth + 1)),
            (long or bool, long or bool) => Integer(left) == Integer(right),
            _ when IsNumber(left) && IsNumber(right) => Number(left) == Number(right),
            _ => ReferenceEquals(left, right),
        };
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        TextValue text => item is TextValue part
            ? text.Text.Contains(part.Text, StringComparison.Ordinal)
            : throw new RenderProblem($"'in' a string is not for {Python.TypeName(item)}"),
        DictValue dict => dict.TryGet(item, out _),
        _ => Python.Items(container).Any(other => AreEqual(other, item)),
    };

    /// <summary>Below 0 if the first is less, 0 if they are equal.</summary>
    public static int Order(string name, object? left, object? right)
    {
        switch (left, right)
        {
            case (TextValue first, TextValue second):
                return CompareCodePoints(first.Text, second.Text);
            case (long or bool, long or bool):
                return Integer(left).CompareTo(Integer(right));
            case (SequenceValue { HasIndices: true } first, SequenceValue { HasIndices: true } second) when first.Kind == second.Kind:
                foreach (var (one, other) in first.Items.Zip(second.Items))
                    if (!AreEqual(one, other))
                        return Order(name, one, other);
                return first.Items.Count.CompareTo(second.Items.Count);
            case (Undefined undefined, _):
                throw new RenderProblem(undefined.Problem);
            case (_, Undefined undefined):
                throw new RenderProblem(undefined.Problem);
        }
        if (!IsNumber(left) || !IsNumber(right))
            throw new RenderProblem($"'{name}' is not for {Python.TypeName(left)} and {Python.TypeName(right)}");
        var (one1, two1) = (Number(left), Number(right));
        return one1 < two1 ? -1 : one1 > two1 ? 1 : 0;
    }

    public static bool IsNumber(object? value) => value is long or double or bool;

    public static double Number(object? value) => value switch
    {
        double number => number,
        _ => Integer(value),
    };

    public static long Integer(object? value) => value switch
    {
        long number => number,
        bool flag => flag ? 1 : 0,
        Undefined undefined => throw new RenderProblem(undefined.Problem),
        _ => throw new RenderProblem($"{Python.TypeName(value)} found where an integer was expected"),
    };

    /// <summary>Strings by code points, where UTF-16 would put surrogates before the last characters of the first plane.</summary>
    private static int CompareCodePoints(string first, string second)
    {
        var length = Math.Min(first.Length, second.Length);
        var common = first.AsSpan(0, length).CommonPrefixLength(second.AsSpan(0, length));
        if (common == length)
            return first.Length.CompareTo(second.Length);
        static int Rank(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
        return Rank(first[common]).CompareTo(Rank(second[common]));
    }

    private static object OfNumbers(string name, double left, double right) => name switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "**" => Math.Pow(left, right),
        _ when right == 0 => throw new RenderProblem("a division by zero"),
        "/" => left / right,
        "//" => Math.Floor(left / right),
        _ => left - Math.Floor(left / right) * right,
    };

    private static object OfIntegers(string name, long left, long right)
    {
        try
        {
            return name switch
            {
                "+" => checked(left + right),
                "-" => checked(left - right),
                "*" => checked(left * right),
                "**" when right < 0 => (object)Math.Pow(left, right),
                "**" => Power(left, right),
                _ when right == 0 => throw new RenderProblem("a division by zero"),
                "//" => FloorDivided(left, right),
                _ => checked(left - FloorDivided(left, right) * right),
            };
        }
        catch (OverflowException)
        {
            throw new RenderProblem("an integer is too large");
        }
    }

    private static long FloorDivided(long left, long right)
    {
        var quotient = checked(left / right);
        return left % right != 0 && left < 0 != right < 0 ? quotient - 1 : quotient;
    }

    private static long Power(long number, long exponent)
    {
        if (number is 0 or 1 or -1)
            return exponent == 0 || number == 1 ? 1 : number == 0 ? 0 : exponent % 2 == 0 ? 1 : -1;
        var result = 1L;
        for (var i = 0L; i < exponent; i++)
            result = checked(result * number);
        return result;
    }
}
