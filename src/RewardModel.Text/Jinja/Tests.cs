namespace RewardModel.Jinja;

/// <summary>Jinja's tests: what can stand after <c>is</c>.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Func<object?, CallValues, bool>> tests = new(StringComparer.Ordinal)
    {
        ["boolean"] = (value, _) => value is bool,
        ["callable"] = (value, _) => value is Callable,
        ["defined"] = (value, _) => value is not Undefined,
        ["divisibleby"] = (value, call) => Operators.Integer(Operators.Apply("%", value, call.Bind(1, "num")[0])) == 0,
        ["eq"] = Compares("=="),
        ["equalto"] = Compares("=="),
        ["even"] = (value, _) => Operators.Integer(value) % 2 == 0,
        ["false"] = (value, _) => value is false,
        ["filter"] = (value, _) => value is TextValue name && Filters.Names.Contains(name.Text),
        ["float"] = (value, _) => value is double,
        ["ge"] = Compares(">="),
        ["greaterthan"] = Compares(">"),
        ["gt"] = Compares(">"),
        ["in"] = (value, call) => Operators.Contains(call.Bind(1, "seq")[0], value),
        ["integer"] = (value, _) => value is long,
        ["iterable"] = (value, _) => value is Undefined or TextValue or SequenceValue or DictValue or GeneratorValue,
        ["le"] = Compares("<="),
        ["lessthan"] = Compares("<"),
        ["lower"] = (value, _) => HasCase(value, TextMethods.Lower),
        ["lt"] = Compares("<"),
        ["mapping"] = (value, _) => value is DictValue,
        ["ne"] = Compares("!="),
        ["none"] = (value, _) => value is null,
        ["number"] = (value, _) => Operators.IsNumber(value),
        ["odd"] = (value, _) => Operators.Integer(value) % 2 != 0,
        ["sameas"] = (value, call) => call.Bind(1, "other")[0] is var other
            && (value is null or bool or long ? Equals(value, other) : ReferenceEquals(value, other)),
        ["sequence"] = (value, _) => value is Undefined or TextValue or DictValue or SequenceValue { HasIndices: true },
        ["string"] = (value, _) => value is TextValue,
        ["test"] = (value, _) => value is TextValue name && Names!.Contains(name.Text),
        ["true"] = (value, _) => value is true,
        ["undefined"] = (value, _) => value is Undefined,
        ["upper"] = (value, _) => HasCase(value, TextMethods.Upper),
    };

    public static IReadOnlyCollection<string> Names => tests.Keys;

    public static bool Apply(string name, object? value, CallValues call) =>
        (tests.TryGetValue(name, out var test) ? test : throw Unsupported(name))(value, call);

    public static RenderProblem Unsupported(string name) =>
        new($"the test '{Excerpt.Of(name)}' is not supported; supported are {string.Join(", ", Names.Order())}");

    private static Func<object?, CallValues, bool> Compares(string name) =>
        (value, call) => Operators.Compare(name, value, call.Bind(1, "other")[0]);

    private static bool HasCase(object? value, Func<string, string> map)
    {
        var text = Python.Text(value).Text;
        return map(text) == text && text.Any(character => char.IsUpper(character) || char.IsLower(character));
    }
}
