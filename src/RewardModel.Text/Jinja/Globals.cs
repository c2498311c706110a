namespace RewardModel.Jinja;

/// <summary>The functions that every template has.</summary>
internal static class Globals
{
    /// <summary>As many as Jinja's sandbox lets a range have.</summary>
    private const int MaxRange = 100_000;

    /// <param name="now">What <c>strftime_now</c> takes for the present.</param>
    public static IEnumerable<Callable> Functions(DateTime now) =>
    [
        new Callable("range", Range),
        new Callable("dict", call => Dict(call.Named)),
        new Callable("namespace", Namespace),
        new Callable("joiner", Joiner),
        new Callable("cycler", Cycler),
        new Callable("raise_exception", call =>
            throw new RenderProblem($"the template rejects the conversation: {Python.Text(call.Bind(1, "message")[0]).Text}")),
        new Callable("strftime_now", call => new TextValue(
            TextFormat.Time(now, Python.Text(call.Bind(1, "format")[0]).Text), TextOrigin.Template)),
    ];

    public static DictValue Dict(IEnumerable<KeyValuePair<string, object?>> items)
    {
        var dict = new DictValue();
        foreach (var (name, value) in items)
            dict[new TextValue(name, TextOrigin.Template)] = value;
        return dict;
    }

    private static SequenceValue Range(CallValues call)
    {
        var numbers = call.Bind(1, "start", "stop", "step");
        var first = Operators.Integer(numbers[0]);
        var (start, stop) = numbers[1] is Absent ? (0, first) : (first, Operators.Integer(numbers[1]));
        var step = numbers[2] is Absent ? 1 : Operators.Integer(numbers[2]);
        if (step == 0)
            throw new RenderProblem("range() has a step of 0");
        // In 128 bits, since the ends may be as far apart as integers can be.
        var count = step > 0 ? ((Int128)stop - start + step - 1) / step : ((Int128)start - stop - step - 1) / -(Int128)step;
        if (count > MaxRange)
            throw new RenderProblem($"range() has more than {MaxRange} items");
        var items = new object?[Math.Max(0, (int)count)];
        RenderBudget.Allocate(items.Length, 4 * sizeof(long));
        for (var i = 0; i < items.Length; i++)
            items[i] = start + i * step;
        return new SequenceValue(items, SequenceKind.Range);
    }

    private static NamespaceValue Namespace(CallValues call)
    {
        var result = new NamespaceValue();
        foreach (var dict in call.Positional)
            foreach (var (name, value) in (dict as DictValue ?? throw new RenderProblem("namespace() takes dictionaries and names")).Items)
                result[Python.Text(name).Text] = value;
        foreach (var (name, value) in call.Named)
            result[name] = value;
        return result;
    }

    private static Callable Joiner(CallValues call)
    {
        var separator = call.Bind(0, "sep")[0] is not Absent and var given ? given : new TextValue(", ", TextOrigin.Template);
        var isFirst = true;
        return new Callable("joiner", _ =>
        {
            var result = isFirst ? TextValue.Empty : separator;
            isFirst = false;
            return result;
        });
    }

    private static NamespaceValue Cycler(CallValues call)
    {
        if (call.Positional.Count == 0)
            throw new RenderProblem("cycler() has nothing to go through");
        var cycler = new NamespaceValue();
        var index = 0;
        cycler["current"] = call.Positional[0];
        cycler["next"] = new Callable("cycler.next", _ =>
        {
            var value = call.Positional[index % call.Positional.Count];
            cycler["current"] = call.Positional[++index % call.Positional.Count];
            return value;
        });
        cycler["reset"] = new Callable("cycler.reset", _ =>
        {
            index = 0;
            cycler["current"] = call.Positional[0];
            return null;
        });
        return cycler;
    }
}
