namespace RewardModel.Jinja;

/// <summary>Reads the statements of a template; their expressions are read by <see cref="ExpressionParser"/>.</summary>
internal sealed class TemplateParser
{
    private static readonly string[] tags =
    [
        "break", "call", "continue", "filter", "for", "generation", "if", "macro", "raw", "set", "with",
    ];

    private readonly TemplateSource source;
    private readonly TokenReader tokens;
    private readonly ExpressionParser expressions;

    /// <summary>How many loops are around the statement, counted from the innermost macro.</summary>
    private int loopDepth;

    private TemplateParser(TemplateSource source)
    {
        this.source = source;
        tokens = new TokenReader(source, TemplateLexer.Tokens(source));
        expressions = new ExpressionParser(tokens);
    }

    /// <exception cref="ChatTemplateException">The template has a mistake, or something that is not supported.</exception>
    public static IReadOnlyList<Statement> Parse(TemplateSource source)
    {
        var parser = new TemplateParser(source);
        var statements = parser.Statements(opening: null);
        return parser.expressions.Unsupported is [var (name, problem), ..]
            ? throw source.Problem(name.Position, problem(name.Value).Message)
            : statements;
    }

    /// <summary>Statements up to one of the tags that end them, whose name is then the current token.</summary>
    private List<Statement> Statements(TemplateToken? opening, params string[] ends)
    {
        using var depth = tokens.Deeper();
        var statements = new List<Statement>();
        while (true)
        {
            var token = tokens.Next();
            switch (token.Kind)
            {
                case TemplateTokenKind.Data:
                    statements.Add(new Data(new TextValue(token.Value, TextOrigin.Template), token.Position));
                    break;
                case TemplateTokenKind.VariableBegin:
                    statements.Add(new Output(expressions.Tuple(), token.Position));
                    tokens.Expect(TemplateTokenKind.VariableEnd);
                    break;
                case TemplateTokenKind.End when opening is { } tag:
                    throw source.Problem(tag.Position, $"the tag '{tag.Value}' has no end; expected {{% {ends[^1]} %}}");
                case TemplateTokenKind.End:
                    return statements;
                default:
                    if (tokens.Current.Kind == TemplateTokenKind.Name && ends.Contains(tokens.Current.Value))
                        return statements;
                    statements.Add(Statement());
                    break;
            }
        }
    }

    private Statement Statement()
    {
        var tag = tokens.Expect(TemplateTokenKind.Name);
        switch (tag.Value)
        {
            case "if":
                var unsupportedCount = expressions.Unsupported.Count;
                var condition = IfStatement(tag);
                expressions.AllowUnsupported(unsupportedCount);
                return condition;
            case "for":
                return ForStatement(tag);
            case "set":
                return SetStatement(tag);
            case "macro":
                return MacroStatement(tag);
            case "call":
                return CallStatement(tag);
            case "filter":
                var filters = expressions.FilterChain();
                return new FilterBlock(filters, Body(tag, "endfilter"), tag.Position);
            case "generation":
                return new Scoped([], Body(tag, "endgeneration"), tag.Position);
            case "with":
                return WithStatement(tag);
            case "break" or "continue" when loopDepth == 0:
                throw source.Problem(tag.Position, $"the tag '{tag.Value}' is outside of a loop");
            case "break" or "continue":
                EndTag();
                return new LoopJump(tag.Value == "break", tag.Position);
            default:
                throw source.Problem(
                    tag.Position, $"the tag '{Excerpt.Of(tag.Value)}' is not supported here; supported are {string.Join(", ", tags)}");
        }
    }

    /// <summary>The rest of a tag, the statements after it, and the tag that ends them.</summary>
    private List<Statement> Body(TemplateToken tag, string end)
    {
        EndTag();
        var statements = Statements(tag, end);
        tokens.Next();
        EndTag();
        return statements;
    }

    private void EndTag() => tokens.Expect(TemplateTokenKind.BlockEnd);

    private If IfStatement(TemplateToken tag)
    {
        var test = expressions.Tuple(allowsCondition: false);
        EndTag();
        var then = Statements(tag, "elif", "else", "endif");
        var end = tokens.Next();
        if (end.Value == "elif")
        {
            using var depth = tokens.Deeper();
            return new If(test, then, [IfStatement(end)], tag.Position);
        }
        return new If(test, then, end.Value == "else" ? Body(tag, "endif") : End(), tag.Position);
    }

    private List<Statement> End()
    {
        EndTag();
        return [];
    }

    private For ForStatement(TemplateToken tag)
    {
        var target = TupleOfTargets(withMembers: false);
        tokens.ExpectName("in");
        var items = expressions.Tuple(allowsCondition: false);
        var test = tokens.Skip(TemplateTokenKind.Name, "if") ? expressions.Expression() : null;
        if (tokens.Current.Is(TemplateTokenKind.Name, "recursive"))
            throw source.Problem(tokens.Current.Position, "'recursive' loops are not supported");
        EndTag();
        loopDepth++;
        var body = Statements(tag, "else", "endfor");
        loopDepth--;
        var otherwise = tokens.Next().Value == "else" ? Body(tag, "endfor") : End();
        return new For(target, items, test, body, otherwise, tag.Position);
    }

    private Statement SetStatement(TemplateToken tag)
    {
        var target = TupleOfTargets(withMembers: true);
        if (tokens.Skip(TemplateTokenKind.Operator, "="))
        {
            var value = expressions.Tuple();
            EndTag();
            return new Set(target, value, tag.Position);
        }
        var filters = tokens.Skip(TemplateTokenKind.Operator, "|") ? expressions.FilterChain() : [];
        return new SetBlock(target, filters, Body(tag, "endset"), tag.Position);
    }

    private MacroDefinition MacroStatement(TemplateToken tag)
    {
        var name = tokens.Expect(TemplateTokenKind.Name);
        var (parameters, body, names) = Callable(tag, "endmacro", Parameters);
        return new MacroDefinition(name.Value, parameters, body, names, tag.Position);
    }

    private CallBlock CallStatement(TemplateToken tag)
    {
        Call? call = null;
        var (parameters, body, names) = Callable(tag, "endcall", () =>
        {
            var own = tokens.Current.Is(TemplateTokenKind.Operator, "(") ? Parameters() : [];
            call = expressions.Expression() as Call
                ?? throw source.Problem(tag.Position, "the tag 'call' has no call of a macro, expected one");
            return own;
        });
        return new CallBlock(call!, new MacroDefinition("caller", parameters, body, names, tag.Position), tag.Position);
    }

    private (List<(string Name, Expression? Default)> Parameters, List<Statement> Body, HashSet<string> Names) Callable(
        TemplateToken tag, string end, Func<List<(string Name, Expression? Default)>> readParameters)
    {
        var outerNames = expressions.Names;
        expressions.Names = [];
        var outerLoopDepth = loopDepth;
        loopDepth = 0;
        var parameters = readParameters();
        var body = Body(tag, end);
        var names = expressions.Names;
        outerNames.UnionWith(names);
        (expressions.Names, loopDepth) = (outerNames, outerLoopDepth);
        return (parameters, body, names);
    }

    private List<(string Name, Expression? Default)> Parameters()
    {
        var parameters = new List<(string Name, Expression? Default)>();
        tokens.ExpectOperator("(");
        while (!tokens.Skip(TemplateTokenKind.Operator, ")"))
        {
            if (parameters.Count > 0)
                tokens.ExpectOperator(",");
            var name = tokens.Expect(TemplateTokenKind.Name);
            if (tokens.Skip(TemplateTokenKind.Operator, "="))
                parameters.Add((name.Value, expressions.Expression()));
            else if (parameters.Count > 0 && parameters[^1].Default is not null)
                throw source.Problem(name.Position, $"the parameter '{Excerpt.Of(name.Value)}' has no default, but one before it has");
            else
                parameters.Add((name.Value, null));
        }
        return parameters;
    }

    private Scoped WithStatement(TemplateToken tag)
    {
        var names = new List<(Target Target, Expression Value)>();
        while (tokens.Current.Kind != TemplateTokenKind.BlockEnd)
        {
            if (names.Count > 0)
                tokens.ExpectOperator(",");
            var target = SingleTarget(withMembers: false);
            tokens.ExpectOperator("=");
            names.Add((target, expressions.Expression()));
        }
        return new Scoped(names, Body(tag, "endwith"), tag.Position);
    }

    private Target TupleOfTargets(bool withMembers)
    {
        using var depth = tokens.Deeper();
        var first = SingleTarget(withMembers);
        if (!tokens.Current.Is(TemplateTokenKind.Operator, ","))
            return first;
        var items = new List<Target> { first };
        while (tokens.Skip(TemplateTokenKind.Operator, ",")
            && (tokens.Current.Kind == TemplateTokenKind.Name && tokens.Current.Value != "in"
                || tokens.Current.Is(TemplateTokenKind.Operator, "(")))
            items.Add(SingleTarget(withMembers));
        return new TupleTarget(items, first.Position);
    }

    private Target SingleTarget(bool withMembers)
    {
        if (tokens.Skip(TemplateTokenKind.Operator, "("))
        {
            var inner = TupleOfTargets(withMembers);
            tokens.ExpectOperator(")");
            return inner;
        }
        var name = tokens.Expect(TemplateTokenKind.Name);
        if (name.Value is "true" or "false" or "none" or "True" or "False" or "None")
            throw source.Problem(name.Position, $"'{name.Value}' can't be assigned to");
        if (!withMembers || !tokens.Skip(TemplateTokenKind.Operator, "."))
            return new NameTarget(name.Value, name.Position);
        return new MemberTarget(name.Value, tokens.Expect(TemplateTokenKind.Name).Value, name.Position);
    }
}
