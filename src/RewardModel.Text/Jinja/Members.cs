namespace RewardModel.Jinja;

/// <summary>Members, items and slices of values, as Jinja finds them: <c>a.b</c> is first a method, then a key.</summary>
internal static class Members
{
    /// <summary>Methods of Python that change a value, which a template may not do.</summary>
    private static readonly HashSet<string> changingMethods =
    [
        "add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort", "update",
    ];

    public static object? Member(object? target, string name)
    {
        switch (target)
        {
            case Undefined undefined:
                throw new RenderProblem(undefined.Problem);
            case TextValue text:
                return TextMethods.Find(text, name) ?? (object)new Undefined($"a string has no member '{Excerpt.Of(name)}'");
            case NamespaceValue names:
                return names.TryGet(name, out var member) ? member : new Undefined($"the namespace has no member '{Excerpt.Of(name)}'");
            case LoopValue loop:
                return loop.Member(name);
            case DictValue or SequenceValue when changingMethods.Contains(name) && Has(target, name):
                throw new RenderProblem($"the method '{name}' of {Python.TypeName(target)} changes it, which a template may not do");
            case DictValue dict:
                return DictMethod(dict, name)
                    ?? (dict.TryGet(name, out var value) ? value : new Undefined($"the dictionary has no key '{Excerpt.Of(name)}'"));
            case SequenceValue sequence:
                return SequenceMethod(sequence, name)
                    ?? (object)new Undefined($"{Python.TypeName(target)} has no member '{Excerpt.Of(name)}'");
            default:
                return new Undefined($"{Python.TypeName(target)} has no member '{Excerpt.Of(name)}'");
        }
    }

    public static object? Item(object? target, object? key)
    {
        switch (target, key)
        {
            case (Undefined undefined, _):
                throw new RenderProblem(undefined.Problem);
            case (DictValue dict, not (DictValue or SequenceValue { Kind: not SequenceKind.Tuple })):
                if (dict.TryGet(key, out var value))
                    return value;
                break;
            case (TextValue text, long or bool) when Place(PythonText.Length(text.Text), Operators.Integer(key)) is >= 0 and var place:
                return PythonText.HasSurrogates(text.Text) ? Slice(text, (long)place, place + 1L, null) : text.Part(place, 1);
            case (SequenceValue { HasIndices: true } sequence, long or bool):
                var index = Place(sequence.Items.Count, Operators.Integer(key));
                if (index >= 0)
                    return sequence.Items[index];
                break;
        }
        return key is TextValue name && !(target is DictValue && changingMethods.Contains(name.Text))
            ? Member(target, name.Text)
            : new Undefined($"{Python.TypeName(target)} has no item {Excerpt.Of(Python.Repr(key))}");
    }

    public static object? Slice(object? target, object? start, object? stop, object? step)
    {
        if (target is Undefined undefined)
            throw new RenderProblem(undefined.Problem);
        var count = target switch
        {
            TextValue text => PythonText.Length(text.Text),
            SequenceValue { HasIndices: true } sequence => sequence.Items.Count,
            _ => throw new RenderProblem($"{Python.TypeName(target)} can't be sliced"),
        };
        var by = step is null ? 1 : Operators.Integer(step);
        if (by == 0)
            throw new RenderProblem("the slice has a step of 0");
        var from = Bound(start, count, by, by > 0 ? 0 : count - 1);
        var to = Bound(stop, count, by, by > 0 ? count : -1);
        var starts = target is TextValue { Text: var units } && PythonText.HasSurrogates(units) ? PythonText.Starts(units) : null;
        if (target is TextValue whole && by == 1)
        {
            var (first, end) = starts is null ? (from, Math.Max(from, to)) : (starts[(int)from], starts[(int)Math.Max(from, to)]);
            return whole.Part((int)first, (int)(end - first));
        }
        // In 128 bits, since a step may be as large as integers can be.
        var placeCount = (int)Int128.Max(0, by > 0 ? ((Int128)to - from + by - 1) / by : ((Int128)from - to - by - 1) / -(Int128)by);
        RenderBudget.Spend(placeCount / 8);
        RenderBudget.Allocate(placeCount, sizeof(long));
        var places = Enumerable.Range(0, placeCount).Select(i => (int)(from + i * by));
        return target is SequenceValue list
            ? new SequenceValue([.. places.Select(place => list.Items[place])], list.Kind)
            : ((TextValue)target).Parts(places.Select(place => starts is null ? (place, place + 1) : (starts[place], starts[place + 1])));
    }

    private static long Bound(object? bound, int count, long step, long standard)
    {
        if (bound is null)
            return standard;
        var index = Operators.Integer(bound);
        if (index < 0)
            index += count;
        return step > 0 ? Math.Clamp(index, 0, count) : Math.Clamp(index, -1, count - 1);
    }

    private static int Place(int count, long index) => index >= -count && index < count ? (int)(index < 0 ? index + count : index) : -1;

    private static bool Has(object target, string method) => target is DictValue
        ? method is "clear" or "pop" or "popitem" or "setdefault" or "update"
        : target is SequenceValue { Kind: SequenceKind.List }
            && method is not ("add" or "discard" or "popitem" or "setdefault" or "update");

    private static Callable? DictMethod(DictValue dict, string name) => name switch
    {
        "items" => Method(name, () => new SequenceValue(
            [.. dict.Items.Select(item => new SequenceValue([item.Key, item.Value], SequenceKind.Tuple))], SequenceKind.Items)),
        "keys" => Method(name, () => new SequenceValue([.. dict.Items.Select(item => item.Key)], SequenceKind.Keys)),
        "values" => Method(name, () => new SequenceValue([.. dict.Items.Select(item => item.Value)], SequenceKind.Values)),
        "copy" => Method(name, () => dict),
        "get" => new Callable(name, call =>
        {
            var arguments = call.Bind(1, "key", "default");
            return dict.TryGet(arguments[0], out var value) ? value : arguments[1] is Absent ? null : arguments[1];
        }),
        _ => null,
    };

    private static Callable? SequenceMethod(SequenceValue sequence, string name) => (name, sequence.HasIndices) switch
    {
        ("copy", true) when sequence.Kind == SequenceKind.List => Method(name, () => sequence),
        ("count", true) => new Callable(name, call =>
        {
            var wanted = call.Bind(1, "value")[0];
            return (long)sequence.Items.Count(item => Operators.AreEqual(item, wanted));
        }),
        ("index", true) => new Callable(name, call =>
        {
            var wanted = call.Bind(1, "value")[0];
            for (var i = 0; i < sequence.Items.Count; i++)
                if (Operators.AreEqual(sequence.Items[i], wanted))
                    return (long)i;
            throw new RenderProblem($"{Excerpt.Of(Python.Repr(wanted))} is not in the list");
        }),
        _ => null,
    };

    private static Callable Method(string name, Func<object?> result) => new(name, call =>
    {
        call.Bind(0);
        return result();
    });
}
