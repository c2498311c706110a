using System.Globalization;
using System.Text;

namespace RewardModel.Jinja;

/// <summary>Reads expressions, with Jinja's precedence of operators.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private static readonly string[] comparisons = ["==", "!=", "<", "<=", ">", ">="];

    /// <summary>Every name that was read.</summary>
    public HashSet<string> Names { get; set; } = [];

    /// <summary>
    /// Filters and tests that are not supported. Those inside of a condition are left out: as in Jinja, they are an error only where they
    /// are reached.
    /// </summary>
    public List<(TemplateToken Name, Func<string, RenderProblem> Problem)> Unsupported { get; } = [];

    /// <summary>One expression, or several with commas between, which make a tuple.</summary>
    public Expression Tuple(bool allowsCondition = true)
    {
        var position = tokens.Current.Position;
        var items = new List<Expression> { allowsCondition ? Expression() : Or() };
        if (!tokens.Current.Is(TemplateTokenKind.Operator, ","))
            return items[0];
        while (tokens.Skip(TemplateTokenKind.Operator, ",") && !EndsTuple())
            items.Add(allowsCondition ? Expression() : Or());
        return new Sequence(items, IsTuple: true, position);
    }

    public Expression Expression()
    {
        using var depth = tokens.Deeper();
        var unsupportedCount = Unsupported.Count;
        var expression = Or();
        while (tokens.Current.Is(TemplateTokenKind.Name, "if"))
        {
            var position = tokens.Next().Position;
            var test = Or();
            var otherwise = tokens.Skip(TemplateTokenKind.Name, "else") ? Expression() : null;
            expression = new Conditional(test, expression, otherwise, position);
            AllowUnsupported(unsupportedCount);
        }
        return expression;
    }

    /// <summary>The filters of a block, the first of which has its text as its target.</summary>
    public List<Filter> FilterChain()
    {
        var filters = new List<Filter> { Filter(null) };
        while (tokens.Skip(TemplateTokenKind.Operator, "|"))
            filters.Add(Filter(null));
        return filters;
    }

    /// <summary>Leaves out what is not supported from a number on.</summary>
    public void AllowUnsupported(int from) => Unsupported.RemoveRange(from, Unsupported.Count - from);

    private bool EndsTuple() => tokens.Current.Kind is TemplateTokenKind.BlockEnd or TemplateTokenKind.VariableEnd
        || tokens.Current.Is(TemplateTokenKind.Operator, ")");

    private Expression Or()
    {
        var left = And();
        while (tokens.Current.Is(TemplateTokenKind.Name, "or"))
            left = new Binary("or", left, After(And), left.Position);
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (tokens.Current.Is(TemplateTokenKind.Name, "and"))
            left = new Binary("and", left, After(Not), left.Position);
        return left;
    }

    private Expression Not()
    {
        using var depth = tokens.Deeper();
        if (!tokens.Current.Is(TemplateTokenKind.Name, "not"))
            return Compare();
        var position = tokens.Next().Position;
        return new Unary("not", Not(), position);
    }

    private Expression Compare()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            var token = tokens.Current;
            if (token.Kind == TemplateTokenKind.Operator && comparisons.Contains(token.Value))
                rest.Add((token.Value, After(Sum)));
            else if (token.Is(TemplateTokenKind.Name, "in"))
                rest.Add(("in", After(Sum)));
            else if (token.Is(TemplateTokenKind.Name, "not") && tokens.Following.Is(TemplateTokenKind.Name, "in"))
            {
                tokens.Next();
                rest.Add(("not in", After(Sum)));
            }
            else
                return rest.Count == 0 ? first : new Comparison(first, rest, first.Position);
        }
    }

    private Expression Sum() => LeftToRight(Joined, "+", "-");

    private Expression Joined() => LeftToRight(Product, "~");

    private Expression Product() => LeftToRight(Power, "*", "/", "//", "%");

    private Expression Power() => LeftToRight(() => Unary(), "**");

    private Expression LeftToRight(Func<Expression> operand, params string[] operators)
    {
        var left = operand();
        while (tokens.Current.Kind == TemplateTokenKind.Operator && operators.Contains(tokens.Current.Value))
        {
            var token = tokens.Next();
            left = new Binary(token.Value, left, operand(), token.Position);
        }
        return left;
    }

    private Expression After(Func<Expression> read)
    {
        tokens.Next();
        return read();
    }

    private Expression Unary(bool withFilters = true)
    {
        using var depth = tokens.Deeper();
        var token = tokens.Current;
        var expression = token.Kind == TemplateTokenKind.Operator && token.Value is "-" or "+"
            ? new Unary(tokens.Next().Value, Unary(withFilters: false), token.Position)
            : Postfix(Primary());
        while (withFilters)
            if (tokens.Skip(TemplateTokenKind.Operator, "|"))
                expression = Filter(expression);
            else if (tokens.Skip(TemplateTokenKind.Name, "is"))
                expression = Test(expression);
            else if (tokens.Current.Is(TemplateTokenKind.Operator, "("))
                expression = new Call(expression, CallArguments(), token.Position);
            else
                break;
        return expression;
    }

    private Expression Primary()
    {
        var token = tokens.Next();
        switch (token)
        {
            case { Kind: TemplateTokenKind.Name, Value: "true" or "True" }:
                return new Constant(true, token.Position);
            case { Kind: TemplateTokenKind.Name, Value: "false" or "False" }:
                return new Constant(false, token.Position);
            case { Kind: TemplateTokenKind.Name, Value: "none" or "None" }:
                return new Constant(null, token.Position);
            case { Kind: TemplateTokenKind.Name }:
                Names.Add(token.Value);
                return new Name(token.Value, token.Position);
            case { Kind: TemplateTokenKind.Text }:
                var text = new StringBuilder(token.Value);
                while (tokens.Current.Kind == TemplateTokenKind.Text)
                    text.Append(tokens.Next().Value);
                return new Constant(new TextValue(text.ToString(), TextOrigin.Template), token.Position);
            case { Kind: TemplateTokenKind.Integer }:
                return long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    ? new Constant(number, token.Position)
                    : throw tokens.Problem(
                        token.Position, $"the number {Excerpt.Of(token.Value)} is too large; integers have 64 bits here");
            case { Kind: TemplateTokenKind.Float }:
                return new Constant(double.Parse(token.Value, CultureInfo.InvariantCulture), token.Position);
            case { Kind: TemplateTokenKind.Operator, Value: "(" }:
                if (tokens.Skip(TemplateTokenKind.Operator, ")"))
                    return new Sequence([], IsTuple: true, token.Position);
                var inner = Tuple();
                tokens.ExpectOperator(")");
                return inner;
            case { Kind: TemplateTokenKind.Operator, Value: "[" }:
                return new Sequence([.. Items("]", Expression)], IsTuple: false, token.Position);
            case { Kind: TemplateTokenKind.Operator, Value: "{" }:
                return new Mapping([.. Items("}", Pair)], token.Position);
            default:
                throw tokens.Problem(token.Position, $"{token} found where an expression was expected");
        }
    }

    private List<T> Items<T>(string end, Func<T> read)
    {
        var items = new List<T>();
        while (!tokens.Skip(TemplateTokenKind.Operator, end))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.Skip(TemplateTokenKind.Operator, end))
                    break;
            }
            items.Add(read());
        }
        return items;
    }

    private (Expression Key, Expression Value) Pair()
    {
        var key = Expression();
        tokens.ExpectOperator(":");
        return (key, Expression());
    }

    private Expression Postfix(Expression expression)
    {
        while (true)
        {
            var token = tokens.Current;
            if (tokens.Skip(TemplateTokenKind.Operator, "."))
                expression = tokens.Current.Kind == TemplateTokenKind.Integer
                    ? new Item(expression, Primary(), token.Position)
                    : new Member(expression, tokens.Expect(TemplateTokenKind.Name).Value, token.Position);
            else if (tokens.Skip(TemplateTokenKind.Operator, "["))
                expression = Subscript(expression, token.Position);
            else if (token.Is(TemplateTokenKind.Operator, "("))
                expression = new Call(expression, CallArguments(), token.Position);
            else
                return expression;
        }
    }

    private Expression Subscript(Expression target, int position)
    {
        var parts = new Expression?[3];
        var colons = 0;
        while (!tokens.Skip(TemplateTokenKind.Operator, "]"))
            if (tokens.Skip(TemplateTokenKind.Operator, ":"))
            {
                if (++colons > 2)
                    throw tokens.Problem(position, "the slice has more than three parts");
            }
            else if (parts[colons] is not null)
                throw tokens.Problem(tokens.Current.Position, $"{tokens.Current} found where ']' was expected");
            else
                parts[colons] = Expression();
        if (colons > 0)
            return new Slice(target, parts[0], parts[1], parts[2], position);
        return new Item(target, parts[0] ?? throw tokens.Problem(position, "the brackets are empty, expected an index or a key"), position);
    }

    private Filter Filter(Expression? target)
    {
        var name = tokens.Expect(TemplateTokenKind.Name);
        if (!Filters.Names.Contains(name.Value))
            Unsupported.Add((name, Filters.Unsupported));
        return new Filter(target, name.Value, OptionalArguments(), name.Position);
    }

    private Expression Test(Expression target)
    {
        var isNegated = tokens.Skip(TemplateTokenKind.Name, "not");
        var name = tokens.Expect(TemplateTokenKind.Name);
        if (!Tests.Names.Contains(name.Value))
            Unsupported.Add((name, Tests.Unsupported));
        var arguments = OptionalArguments();
        if (arguments == Arguments.None && StartsTestArgument())
            arguments = new Arguments([Postfix(Primary())], [], null, null);
        var test = new Test(target, name.Value, arguments, name.Position);
        return isNegated ? new Unary("not", test, name.Position) : test;
    }

    private bool StartsTestArgument() => tokens.Current switch
    {
        { Kind: TemplateTokenKind.Name, Value: "else" or "or" or "and" or "is" } => false,
        { Kind: TemplateTokenKind.Name or TemplateTokenKind.Text or TemplateTokenKind.Integer or TemplateTokenKind.Float } => true,
        { Kind: TemplateTokenKind.Operator, Value: "[" or "{" } => true,
        _ => false,
    };

    private Arguments OptionalArguments() => tokens.Current.Is(TemplateTokenKind.Operator, "(") ? CallArguments() : Arguments.None;

    private Arguments CallArguments()
    {
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? more = null, moreNamed = null;
        tokens.ExpectOperator("(");
        foreach (var read in Items(")", () => Argument(positional, named)))
            (more, moreNamed) = (read.More ?? more, read.MoreNamed ?? moreNamed);
        return new Arguments(positional, named, more, moreNamed);
    }

    private (Expression? More, Expression? MoreNamed) Argument(List<Expression> positional, List<(string, Expression)> named)
    {
        var token = tokens.Current;
        if (tokens.Skip(TemplateTokenKind.Operator, "*"))
            return (Expression(), null);
        if (tokens.Skip(TemplateTokenKind.Operator, "**"))
            return (null, Expression());
        if (token.Kind == TemplateTokenKind.Name && tokens.Following.Is(TemplateTokenKind.Operator, "="))
        {
            tokens.Next();
            named.Add((token.Value, After(Expression)));
        }
        else if (named.Count > 0)
            throw tokens.Problem(token.Position, "an argument without a name follows one with a name");
        else
            positional.Add(Expression());
        return (null, null);
    }
}
