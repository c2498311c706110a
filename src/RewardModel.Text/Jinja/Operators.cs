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
                RenderBudget.Allocate((long)first.Items.Count + second.Items.Count, sizeof(long));
                return new SequenceValue([.. first.Items, .. second.Items], first.Kind);
            case ("*", TextValue text, long or bool):
                return text.Repeated(Integer(right));
            case ("*", long or bool, TextValue text):
                return text.Repeated(Integer(left));
            case ("*", SequenceValue { HasIndices: true } list, long or bool):
                return Repeated(list, Integer(right));
            case ("*", long or bool, SequenceValue { HasIndices: true } list):
                return Repeated(list, Integer(left));
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
        long or bool => OfIntegers("-", 0, Integer(value)),
        _ => throw new RenderProblem($"'-' is not for {Python.TypeName(value)}"),
    };

    /// <summary>Python's <c>+</c> of strings: where one is marked as safe, the other is escaped.</summary>
    public static TextValue Added(TextValue first, TextValue second) => first.IsMarkup || second.IsMarkup
        ? Joined(first.Escaped(), second.Escaped()).Marked(true)
        : Joined(first, second);

    public static TextValue Joined(TextValue first, TextValue second) => TextValue.Concat(first, second);

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

    /// <summary>Python's <c>==</c>. As there, what a list has is equal to itself without being looked at.</summary>
    public static bool AreEqual(object? left, object? right)
    {
        RenderBudget.CheckStack();
        RenderBudget.Spend(1);
        if (ReferenceEquals(left, right) && left is not double)
            return true;
        switch (left, right)
        {
            case (Undefined, Undefined):
                return true;
            case (TextValue first, TextValue second):
                RenderBudget.Spend(Math.Min(first.Text.Length, second.Text.Length) / 64);
                return first.Text == second.Text;
            case (SequenceValue first, SequenceValue second):
                return first.Kind == second.Kind && first.Items.Count == second.Items.Count
                    && first.Items.Zip(second.Items).All(pair => AreEqual(pair.First, pair.Second));
            case (DictValue first, DictValue second):
                return first.Items.Count == second.Items.Count
                    && first.Items.All(item => second.TryGet(item.Key, out var value) && AreEqual(item.Value, value));
            case (long or bool, long or bool):
                return Integer(left) == Integer(right);
            default:
                return IsNumber(left) && IsNumber(right) && Number(left) == Number(right);
        }
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        TextValue text => item is TextValue part
            ? PythonText.IndexOf(text.Text, part.Text, from: 0) >= 0
            : throw new RenderProblem($"'in' a string is not for {Python.TypeName(item)}"),
        DictValue dict => dict.TryGet(item, out _),
        _ => Python.Items(container).Any(other => AreEqual(other, item)),
    };

    /// <summary>Below 0 if the first is less, 0 if they are equal.</summary>
    public static int Order(string name, object? left, object? right)
    {
        RenderBudget.CheckStack();
        RenderBudget.Spend(1);
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

    /// <summary>A number without its fraction.</summary>
    public static long Truncated(object? value)
    {
        if (value is not double number)
            return Integer(value);
        // 2^63 is the first that is too large.
        return Math.Abs(number) < 9223372036854775808.0
            ? (long)number
            : throw new RenderProblem($"{Python.Number(number)} is no integer of 64 bits, which integers have here, unlike Python's");
    }

    /// <summary>Strings by code points, where UTF-16 would put surrogates before the last characters of the first plane.</summary>
    private static int CompareCodePoints(string first, string second)
    {
        var length = Math.Min(first.Length, second.Length);
        var common = first.AsSpan(0, length).CommonPrefixLength(second.AsSpan(0, length));
        RenderBudget.Spend(common / 64);
        if (common == length)
            return first.Length.CompareTo(second.Length);
        static int Rank(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
        return Rank(first[common]).CompareTo(Rank(second[common]));
    }

    private static SequenceValue Repeated(SequenceValue list, long count)
    {
        if (list.Items.Count == 0 || count <= 0)
            return new SequenceValue([], list.Kind);
        RenderBudget.Allocate(count, (long)list.Items.Count * sizeof(long));
        return new SequenceValue([.. Enumerable.Repeat(list.Items, (int)count).SelectMany(items => items)], list.Kind);
    }

    private static object OfNumbers(string name, double left, double right) => name switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "**" when left == 0 && right < 0 => throw new RenderProblem("0 can't be raised to a negative power"),
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
                "**" when right < 0 => OfNumbers(name, left, right),
                "**" => Power(left, right),
                _ when right == 0 => throw new RenderProblem("a division by zero"),
                "//" => FloorDivided(left, right),
                _ => checked(left - FloorDivided(left, right) * right),
            };
        }
        catch (OverflowException)
        {
            throw new RenderProblem($"the result of '{name}' is too large; integers have 64 bits here, unlike Python's");
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
