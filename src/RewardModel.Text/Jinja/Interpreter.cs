namespace RewardModel.Jinja;

/// <summary>
/// Renders a parsed template. It can do nothing but compute values from those that it is given: it reads no files and calls nothing, and
/// what it uses is bounded by a <see cref="RenderBudget"/>.
/// </summary>
internal sealed class Interpreter
{
    private readonly TemplateSource source;
    private readonly IReadOnlyDictionary<string, object?> globals;

    private Interpreter(TemplateSource source, IReadOnlyDictionary<string, object?> globals) =>
        (this.source, this.globals) = (source, globals);

    private enum Flow { Normal, Break, Continue }

    /// <exception cref="ChatTemplateException">
    /// The template can't be rendered with these values, or has more to do than is allowed.
    /// </exception>
    /// <param name="source">The template, for messages.</param>
    /// <param name="statements">The template.</param>
    /// <param name="globals">The values that it knows by names.</param>
    /// <param name="dataBytes">The size of the conversation in bytes.</param>
    public static TextValue Render(
        TemplateSource source, IReadOnlyList<Statement> statements, IReadOnlyDictionary<string, object?> globals, long dataBytes)
    {
        using var rendering = RenderBudget.Start(dataBytes);
        return new Interpreter(source, globals).TextOf(statements, new Scope(null));
    }

    private Flow Run(IReadOnlyList<Statement> statements, Scope scope, TextValue.Builder output)
    {
        foreach (var statement in statements)
            if (Run(statement, scope, output) is not Flow.Normal and var flow)
                return flow;
        return Flow.Normal;
    }

    private Flow Run(Statement statement, Scope scope, TextValue.Builder output)
    {
        try
        {
            RenderBudget.Spend(1);
            using var level = RenderBudget.Deeper();
            return RunOne(statement, scope, output);
        }
        catch (RenderProblem problem)
        {
            throw source.Problem(statement.Position, problem.Message);
        }
    }

    private Flow RunOne(Statement statement, Scope scope, TextValue.Builder output)
    {
        switch (statement)
        {
            case Data data:
                output.Append(data.Text);
                break;
            case Output written:
                output.Append(Python.Text(Value(written.Value, scope)));
                break;
            case If condition:
                return Run(Python.IsTrue(Value(condition.Test, scope)) ? condition.Then : condition.Otherwise, scope, output);
            case For loop:
                return RunLoop(loop, scope, output);
            case Set set:
                Assign(set.Target, Value(set.Value, scope), scope);
                break;
            case SetBlock block:
                Assign(block.Target, Filtered(block.Filters, TextOf(block.Body, new Scope(scope)), scope), scope);
                break;
            case FilterBlock block:
                output.Append(Python.Text(Filtered(block.Filters, TextOf(block.Body, new Scope(scope)), scope)));
                break;
            case Scoped scoped:
                var inner = new Scope(scope);
                foreach (var (target, value) in scoped.Names)
                    Assign(target, Value(value, scope), inner);
                return Run(scoped.Body, inner, output);
            case MacroDefinition macro:
                scope[macro.Id] = Callable(macro, scope);
                break;
            case CallBlock block:
                var caller = Callable(block.Caller, scope);
                output.Append(Python.Text(Invoke(block.Call, scope, caller)));
                break;
            case LoopJump jump:
                return jump.EndsLoop ? Flow.Break : Flow.Continue;
        }
        return Flow.Normal;
    }

    private TextValue TextOf(IReadOnlyList<Statement> body, Scope scope)
    {
        var output = new TextValue.Builder();
        Run(body, scope, output);
        return output.ToText();
    }

    private Flow RunLoop(For loop, Scope scope, TextValue.Builder output)
    {
        var items = Python.ItemArray(Value(loop.Items, scope));
        if (loop.Test is { } test)
            items = [.. items.Where(item => Python.IsTrue(Value(test, ItemScope(loop, item, scope))))];
        if (items.Length == 0)
            return Run(loop.Otherwise, new Scope(scope), output);
        var value = new LoopValue(items);
        for (value.Index = 0; value.Index < items.Length; value.Index++)
        {
            var inner = ItemScope(loop, items[value.Index], scope);
            inner["loop"] = value;
            RenderBudget.Spend(1);
            if (Run(loop.Body, inner, output) == Flow.Break)
                break;
        }
        return Flow.Normal;
    }

    private static Scope ItemScope(For loop, object? item, Scope scope)
    {
        var inner = new Scope(scope);
        Assign(loop.Target, item, inner);
        return inner;
    }

    private static void Assign(Target target, object? value, Scope scope)
    {
        switch (target)
        {
            case NameTarget name:
                scope[name.Id] = value;
                break;
            case MemberTarget member when scope.Find(member.Id) is (true, NamespaceValue names):
                names[member.Member] = value;
                break;
            case MemberTarget member:
                throw new RenderProblem(
                    $"'{Excerpt.Of(member.Id)}' is no namespace, so '{Excerpt.Of($"{member.Id}.{member.Member}")}' can't be assigned to");
            case TupleTarget tuple:
                var items = Python.ItemArray(value);
                if (items.Length != tuple.Items.Count)
                    throw new RenderProblem($"{items.Length} values for {tuple.Items.Count} names");
                for (var i = 0; i < items.Length; i++)
                    Assign(tuple.Items[i], items[i], scope);
                break;
        }
    }

    private object? Value(Expression expression, Scope scope)
    {
        try
        {
            RenderBudget.Spend(1);
            using var level = RenderBudget.Deeper();
            var value = Evaluate(expression, scope);
            // Work on long texts and lists counts too.
            RenderBudget.Spend((value as TextValue)?.Text.Length / 64 ?? (value as SequenceValue)?.Items.Count / 8 ?? 0);
            return value;
        }
        catch (RenderProblem problem)
        {
            throw source.Problem(expression.Position, problem.Message);
        }
    }

    private object? Evaluate(Expression expression, Scope scope)
    {
        switch (expression)
        {
            case Constant constant:
                return constant.Value;
            case Name name:
                return ValueOf(name.Id, scope);
            case Sequence sequence:
                return new SequenceValue(
                    [.. sequence.Items.Select(item => Value(item, scope))], sequence.IsTuple ? SequenceKind.Tuple : SequenceKind.List);
            case Mapping mapping:
                var dict = new DictValue();
                foreach (var (key, value) in mapping.Items)
                    dict[Value(key, scope)] = Value(value, scope);
                return dict;
            case Unary { Operator: "not" } unary:
                return !Python.IsTrue(Value(unary.Operand, scope));
            case Unary { Operator: "-" } unary:
                return Operators.Negated(Value(unary.Operand, scope));
            case Unary unary:
                return Operators.Apply("+", 0L, Value(unary.Operand, scope));
            case Binary { Operator: "and" } binary:
                var left = Value(binary.Left, scope);
                return Python.IsTrue(left) ? Value(binary.Right, scope) : left;
            case Binary { Operator: "or" } binary:
                var first = Value(binary.Left, scope);
                return Python.IsTrue(first) ? first : Value(binary.Right, scope);
            case Binary binary:
                return Operators.Apply(binary.Operator, Value(binary.Left, scope), Value(binary.Right, scope));
            case Comparison comparison:
                return Compare(comparison, scope);
            case Conditional conditional:
                return Python.IsTrue(Value(conditional.Test, scope)) ? Value(conditional.Then, scope)
                    : conditional.Otherwise is { } otherwise ? Value(otherwise, scope)
                    : new Undefined("an inline 'if' without 'else' has no value here");
            case Member member:
                return Members.Member(Value(member.Target, scope), member.Id);
            case Item item:
                return Members.Item(Value(item.Target, scope), Value(item.Key, scope));
            case Slice slice:
                return Members.Slice(
                    Value(slice.Target, scope), Optional(slice.Start, scope), Optional(slice.Stop, scope), Optional(slice.Step, scope));
            case Call call:
                return Invoke(call, scope, caller: null);
            case Filter filter:
                return Filtered(filter, Value(filter.Target!, scope), scope);
            case Test test:
                return Tests.Apply(test.Id, Value(test.Target, scope), Arguments($"the test '{test.Id}'", test.Arguments, scope));
            default:
                throw new InvalidOperationException(expression.GetType().Name);
        }
    }

    private object? Optional(Expression? expression, Scope scope) => expression is null ? null : Value(expression, scope);

    private bool Compare(Comparison comparison, Scope scope)
    {
        var left = Value(comparison.First, scope);
        foreach (var (name, operand) in comparison.Rest)
        {
            var right = Value(operand, scope);
            if (!Operators.Compare(name, left, right))
                return false;
            left = right;
        }
        return true;
    }

    private object? ValueOf(string name, Scope scope)
    {
        var (found, value) = scope.Find(name);
        return found ? value
            : globals.TryGetValue(name, out value) ? value
            : new Undefined($"'{Excerpt.Of(name)}' is not defined");
    }

    private object? Filtered(IReadOnlyList<Filter> filters, object? input, Scope scope)
    {
        foreach (var filter in filters)
            input = Filtered(filter, input, scope);
        return input;
    }

    private object? Filtered(Filter filter, object? input, Scope scope)
    {
        var arguments = Arguments($"the filter '{filter.Id}'", filter.Arguments, scope);
        try
        {
            return Filters.Apply(filter.Id, input, arguments);
        }
        catch (RenderProblem problem)
        {
            throw source.Problem(filter.Position, problem.Message);
        }
    }

    private CallValues Arguments(string callee, Arguments arguments, Scope scope)
    {
        var positional = arguments.Positional.Select(argument => Value(argument, scope)).ToList();
        if (arguments.More is { } more)
            positional.AddRange(Python.Items(Value(more, scope)));
        var named = arguments.Named.Select(argument => KeyValuePair.Create(argument.Name, Value(argument.Value, scope))).ToList();
        if (arguments.MoreNamed is { } moreNamed)
            named.AddRange(Value(moreNamed, scope) is DictValue dict
                ? dict.Items.Select(item => KeyValuePair.Create(Python.Text(item.Key).Text, item.Value))
                : throw new RenderProblem("the value after '**' is not a dictionary"));
        RenderBudget.Allocate(positional.Count + 2 * named.Count, sizeof(long));
        if (named.Count > 1 && named.GroupBy(argument => argument.Key).FirstOrDefault(group => group.Skip(1).Any()) is { } repeated)
            throw new RenderProblem($"{callee} has its parameter '{Excerpt.Of(repeated.Key)}' twice");
        return new CallValues(callee, positional, named);
    }

    private object? Invoke(Call call, Scope scope, Callable? caller)
    {
        var target = Value(call.Target, scope);
        if (target is Undefined undefined)
            throw new RenderProblem(undefined.Problem);
        if (target is not Callable callable)
            throw new RenderProblem($"{Python.TypeName(target)} can't be called");
        var values = Arguments($"{callable.Name}()", call.Arguments, scope);
        if (caller is not null && values.Named.Any(argument => argument.Key == "caller"))
            throw new RenderProblem($"{callable.Name}() has its parameter 'caller' twice");
        if (caller is not null)
            values = values with { Named = [.. values.Named, KeyValuePair.Create("caller", (object?)caller)] };
        return callable.Invoke(values);
    }

    private Callable Callable(MacroDefinition macro, Scope definition) => new(macro.Id, call =>
    {
        var scope = new Scope(definition);
        var named = call.Named.ToDictionary(pair => pair.Key, pair => pair.Value);
        if (macro.Names.Contains("caller") && macro.Id != "caller")
            scope["caller"] = named.Remove("caller", out var caller) ? caller : new Undefined("there is no caller");
        for (var i = 0; i < macro.Parameters.Count; i++)
        {
            var (name, value) = macro.Parameters[i];
            if (i < call.Positional.Count && named.ContainsKey(name))
                throw new RenderProblem($"{call.Callee} has its parameter '{Excerpt.Of(name)}' twice");
            scope[name] = i < call.Positional.Count ? call.Positional[i]
                : named.Remove(name, out var given) ? given
                : value is not null ? Value(value, scope)
                : new Undefined($"the parameter '{Excerpt.Of(name)}' of {call.Callee} was not given");
        }
        if (macro.Names.Contains("varargs"))
            scope["varargs"] = new SequenceValue([.. call.Positional.Skip(macro.Parameters.Count)], SequenceKind.Tuple);
        else if (call.Positional.Count > macro.Parameters.Count)
            throw new RenderProblem($"{call.Callee} takes at most {macro.Parameters.Count} arguments, but has {call.Positional.Count}");
        if (macro.Names.Contains("kwargs"))
            scope["kwargs"] = Globals.Dict(named);
        else if (named.Count > 0)
            throw new RenderProblem($"{call.Callee} has no parameter '{Excerpt.Of(named.Keys.First())}'");
        return TextOf(macro.Body, scope);
    });

    /// <summary>The names that statements have set, and those around them.</summary>
    private sealed class Scope(Scope? outer)
    {
        private readonly Dictionary<string, object?> names = [];

        public object? this[string name]
        {
            set => names[name] = value;
        }

        public (bool Found, object? Value) Find(string name)
        {
            for (var scope = this; scope is not null; scope = scope.Outer)
                if (scope.names.TryGetValue(name, out var value))
                    return (true, value);
            return (false, null);
        }

        private Scope? Outer => outer;
    }
}
