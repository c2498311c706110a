namespace RewardModel.Jinja;

// Values of a template are null (None), bool, long, double, TextValue and the types below.

/// <summary>
/// A name, key or member that is not there: empty where it is written or looped over, an error where it is used otherwise.
/// </summary>
internal sealed record Undefined
{
    public Undefined(string problem)
    {
        RenderBudget.Allocate(1, 256);
        Problem = problem;
    }

    public string Problem { get; }
}

internal enum SequenceKind { List, Tuple, Range, Keys, Values, Items }

internal sealed class SequenceValue
{
    public SequenceValue(IReadOnlyList<object?> items, SequenceKind kind = SequenceKind.List)
    {
        RenderBudget.Allocate(items.Count + 8, sizeof(long));
        (Items, Kind) = (items, kind);
        var depth = 0;
        // Loops over indices, since every list comes by here.
        for (var i = 0; i < items.Count; i++)
            depth = Math.Max(depth, Python.Depth(items[i]));
        Depth = RenderBudget.Checked(depth + 1);
    }

    public IReadOnlyList<object?> Items { get; }

    public SequenceKind Kind { get; }

    /// <summary>The levels of lists and dictionaries, itself included.</summary>
    public int Depth { get; }

    /// <summary>Whether it has indices, as lists have and the parts of a dictionary don't.</summary>
    public bool HasIndices => Kind is SequenceKind.List or SequenceKind.Tuple or SequenceKind.Range;
}

/// <summary>What filters such as <c>map</c> and <c>select</c> give: items that can be read once.</summary>
internal sealed class GeneratorValue
{
    private readonly IEnumerator<object?> rest;

    public GeneratorValue(IEnumerable<object?> items)
    {
        RenderBudget.Allocate(1, 512);
        rest = items.GetEnumerator();
    }

    public IEnumerable<object?> Rest()
    {
        while (MoveNext())
            yield return rest.Current;
    }

    /// <summary>Generators may be made of generators, level upon level.</summary>
    private bool MoveNext()
    {
        RenderBudget.Spend(1);
        using var level = RenderBudget.Deeper();
        return rest.MoveNext();
    }
}

/// <summary>A dictionary in the order of its keys; numbers and truth values that are equal are the same key, as in Python.</summary>
internal sealed class DictValue
{
    private readonly Dictionary<object, int> places = [];
    private readonly List<KeyValuePair<object?, object?>> items = [];

    public IReadOnlyList<KeyValuePair<object?, object?>> Items => items;

    /// <summary>The levels of lists and dictionaries, itself included.</summary>
    public int Depth { get; private set; } = 1;

    public object? this[object? key]
    {
        set
        {
            Depth = RenderBudget.Checked(Math.Max(Depth, 1 + Math.Max(Python.Depth(key), Python.Depth(value))));
            var normal = Normal(key);
            if (places.TryGetValue(normal, out var place))
            {
                items[place] = new(items[place].Key, value);
                return;
            }
            RenderBudget.Allocate(1, 128);
            places.Add(normal, items.Count);
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
    private static object Normal(object? key)
    {
        switch (key)
        {
            case null:
                return DBNull.Value;
            case Undefined:
                return typeof(Undefined);
            case bool flag:
                return flag ? 1.0 : 0.0;
            case long number:
                RenderBudget.Spend(1);
                return number is > -(1L << 53) and < 1L << 53 ? (double)number : number;
            case double number:
                RenderBudget.Spend(1);
                return number;
            case TextValue text:
                RenderBudget.SpendOn(text.Text);
                return text.Text;
            case SequenceValue { Kind: SequenceKind.Tuple } tuple:
                RenderBudget.CheckStack();
                RenderBudget.Spend(1);
                RenderBudget.Allocate(tuple.Items.Count + 4, 4 * sizeof(long));
                return new TupleKey([.. tuple.Items.Select(Normal)]);
            default:
                throw new RenderProblem($"{Python.TypeName(key)} can't be a key");
        }
    }

    private sealed record TupleKey(object[] Items)
    {
        public bool Equals(TupleKey? other) => other is not null && Items.SequenceEqual(other.Items);

        public override int GetHashCode() => Items.Aggregate(0, HashCode.Combine);
    }
}

/// <summary>What <c>namespace()</c> makes: members that can be assigned to from inside of loops.</summary>
internal sealed class NamespaceValue
{
    private readonly Dictionary<string, object?> members = [];

    public NamespaceValue() => RenderBudget.Allocate(1, 256);

    /// <summary>The member of a name; null for None.</summary>
    public object? this[string name]
    {
        set
        {
            if (!members.ContainsKey(name))
                RenderBudget.Allocate(1, 64);
            members[name] = value;
        }
    }

    public bool TryGet(string name, out object? value) => members.TryGetValue(name, out value);
}

/// <summary>Something that can be called: a function, a method of a value, a macro.</summary>
internal sealed class Callable
{
    /// <param name="name">Its name, for messages.</param>
    /// <param name="invoke">What it does.</param>
    public Callable(string name, Func<CallValues, object?> invoke)
    {
        RenderBudget.Allocate(1, 256);
        (Name, Invoke) = (name, invoke);
    }

    public string Name { get; }

    public Func<CallValues, object?> Invoke { get; }
}

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
        _ => new Undefined($"'loop' has no member '{Excerpt.Of(name)}'"),
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
                throw new RenderProblem($"{Callee} has no parameter '{Excerpt.Of(name)}'");
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
