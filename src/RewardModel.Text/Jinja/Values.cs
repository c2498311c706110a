namespace RewardModel.Jinja;

// Values of a template are null (None), bool, long, double, TextValue and the types below.

/// <summary>
/// A name, key or member that is not there: empty where it is written or looped over, an error where it is used otherwise.
/// </summary>
internal sealed record Undefined(string Problem);

internal enum SequenceKind { List, Tuple, Range, Keys, Values, Items }

internal sealed record SequenceValue(IReadOnlyList<object?> Items, SequenceKind Kind = SequenceKind.List)
{
    /// <summary>Whether it has indices, as lists have and the parts of a dictionary don't.</summary>
    public bool HasIndices => Kind is SequenceKind.List or SequenceKind.Tuple or SequenceKind.Range;
}

/// <summary>What filters such as <c>map</c> and <c>select</c> give: items that can be read once.</summary>
internal sealed class GeneratorValue(IEnumerable<object?> items)
{
    private readonly IEnumerator<object?> rest = items.GetEnumerator();

    public IEnumerable<object?> Rest()
    {
        while (rest.MoveNext())
            yield return rest.Current;
    }
}

/// <summary>A dictionary in the order of its keys; numbers and truth values that are equal are the same key, as in Python.</summary>
internal sealed class DictValue
{
    private readonly Dictionary<object, int> places = [];
    private readonly List<KeyValuePair<object?, object?>> items = [];

    public IReadOnlyList<KeyValuePair<object?, object?>> Items => items;

    public object? this[object? key]
    {
        set
        {
            if (places.TryGetValue(Normal(key), out var place))
            {
                items[place] = new(items[place].Key, value);
                return;
            }
            places.Add(Normal(key), items.Count);
            items.Add(new(key, value));
        }
    }

    public bool TryGet(object? key, out object? value)
    {
        var found = places.TryGetValue(Normal(key), out var place);
        value = found ? items[place].Value : null;
        return found;
    }

    public bool TryGet(string key, out object? value)
    {
        var found = places.TryGetValue(key, out var place);
        value = found ? items[place].Value : null;
        return found;
    }

    /// <summary>A key as something whose equality is Python's.</summary>
    private static object Normal(object? key) => key switch
    {
        null => DBNull.Value,
        Undefined => typeof(Undefined),
        bool flag => flag ? 1.0 : 0.0,
        long number => number is > -(1L << 53) and < 1L << 53 ? (double)number : number,
        double number => number,
        TextValue text => text.Text,
        SequenceValue { Kind: SequenceKind.Tuple } tuple => new TupleKey([.. tuple.Items.Select(Normal)]),
        _ => throw new RenderProblem($"{Python.TypeName(key)} can't be a key"),
    };

    private sealed record TupleKey(object[] Items)
    {
        public bool Equals(TupleKey? other) => other is not null && Items.SequenceEqual(other.Items);

        public override int GetHashCode() => Items.Aggregate(0, HashCode.Combine);
    }
}

/// <summary>What <c>namespace()</c> makes: members that can be assigned to from inside of loops.</summary>
internal sealed class NamespaceValue
{
    public Dictionary<string, object?> Members { get; } = [];
}

/// <summary>Something that can be called: a function, a method of a value, a macro.</summary>
/// <param name="Name">Its name, for messages.</param>
/// <param name="Invoke">What it does.</param>
internal sealed record Callable(string Name, Func<CallValues, object?> Invoke);

/// <summary>What <c>loop</c> tells.</summary>
internal sealed class LoopValue(IReadOnlyList<object?> items)
{
    private object? lastChanged = new();

    public int Index { get; set; }

    public object? Member(string name) => name switch
    {
        "index" => (long)Index + 1,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => (long)(items.Count - Index - 1),
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        // Only recursive loops, which are not supported, are deeper.
        "depth" => 1L,
        "depth0" => 0L,
        "previtem" => Index > 0 ? items[Index - 1] : new Undefined("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new Undefined("there is no next item"),
        "cycle" => new Callable("loop.cycle", call => call.Positional.Count > 0
            ? call.Positional[Index % call.Positional.Count]
            : throw new RenderProblem("loop.cycle has nothing to go through")),
        "changed" => new Callable("loop.changed", Changed),
        _ => new Undefined($"'loop' has no member '{name}'"),
    };

    private object? Changed(CallValues call)
    {
        var value = new SequenceValue(call.Positional, SequenceKind.Tuple);
        var changed = lastChanged is not SequenceValue last || !Operators.AreEqual(last, value);
        lastChanged = value;
        return changed;
    }
}

/// <summary>The values that something is called with.</summary>
internal sealed record CallValues(string Callee, IReadOnlyList<object?> Positional, IReadOnlyList<KeyValuePair<string, object?>> Named)
{
    /// <summary>The values of parameters, by their names; <see cref="Absent"/> for those that were not given.</summary>
    public object?[] Bind(int requiredCount, params string[] names)
    {
        if (Positional.Count > names.Length)
            throw new RenderProblem($"{Callee} takes at most {names.Length} arguments, but has {Positional.Count}");
        var values = new object?[names.Length];
        for (var i = 0; i < names.Length; i++)
            values[i] = i < Positional.Count ? Positional[i] : Absent.Value;
        foreach (var (name, value) in Named)
        {
            var index = Array.IndexOf(names, name);
            if (index < 0)
                throw new RenderProblem($"{Callee} has no parameter '{name}'");
            if (index < Positional.Count)
                throw new RenderProblem($"{Callee} has its parameter '{name}' twice");
            values[index] = value;
        }
        for (var i = 0; i < requiredCount; i++)
            if (values[i] is Absent)
                throw new RenderProblem($"{Callee} lacks its argument '{names[i]}'");
        return values;
    }
}

/// <summary>An argument that was not given.</summary>
internal sealed class Absent
{
    public static Absent Value { get; } = new();
}

/// <summary>Trouble while a template is rendered; the interpreter adds the place.</summary>
internal sealed class RenderProblem(string message) : Exception(message);
