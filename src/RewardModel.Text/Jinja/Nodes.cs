namespace RewardModel.Jinja;

/// <summary>A part of a parsed template.</summary>
/// <param name="Position">Where it starts in the text.</param>
internal abstract record Node(int Position);

internal abstract record Expression(int Position) : Node(Position);

internal sealed record Constant(object? Value, int Position) : Expression(Position);

internal sealed record Name(string Id, int Position) : Expression(Position);

internal sealed record Sequence(IReadOnlyList<Expression> Items, bool IsTuple, int Position) : Expression(Position);

internal sealed record Mapping(IReadOnlyList<(Expression Key, Expression Value)> Items, int Position) : Expression(Position);

internal sealed record Unary(string Operator, Expression Operand, int Position) : Expression(Position);

internal sealed record Binary(string Operator, Expression Left, Expression Right, int Position) : Expression(Position);

internal sealed record Comparison(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest, int Position)
    : Expression(Position);

internal sealed record Conditional(Expression Test, Expression Then, Expression? Otherwise, int Position) : Expression(Position);

internal sealed record Member(Expression Target, string Id, int Position) : Expression(Position);

internal sealed record Item(Expression Target, Expression Key, int Position) : Expression(Position);

internal sealed record Slice(Expression Target, Expression? Start, Expression? Stop, Expression? Step, int Position) : Expression(Position);

/// <summary>The arguments of a call, a filter or a test.</summary>
internal sealed record Arguments(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? More, Expression? MoreNamed)
{
    public static Arguments None { get; } = new([], [], null, null);
}

internal sealed record Call(Expression Target, Arguments Arguments, int Position) : Expression(Position);

/// <param name="Target">What is filtered; null for the filters of a block, which are a list.</param>
/// <param name="Id">The filter's name.</param>
/// <param name="Arguments">What it is given besides.</param>
/// <param name="Position">Where its name is.</param>
internal sealed record Filter(Expression? Target, string Id, Arguments Arguments, int Position) : Expression(Position);

internal sealed record Test(Expression Target, string Id, Arguments Arguments, int Position) : Expression(Position);

internal abstract record Statement(int Position) : Node(Position);

internal sealed record Data(TextValue Text, int Position) : Statement(Position);

internal sealed record Output(Expression Value, int Position) : Statement(Position);

internal sealed record If(Expression Test, IReadOnlyList<Statement> Then, IReadOnlyList<Statement> Otherwise, int Position)
    : Statement(Position);

internal sealed record For(
    Target Target, Expression Items, Expression? Test, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Otherwise, int Position)
    : Statement(Position);

internal sealed record Set(Target Target, Expression Value, int Position) : Statement(Position);

internal sealed record SetBlock(Target Target, IReadOnlyList<Filter> Filters, IReadOnlyList<Statement> Body, int Position)
    : Statement(Position);

internal sealed record FilterBlock(IReadOnlyList<Filter> Filters, IReadOnlyList<Statement> Body, int Position) : Statement(Position);

/// <summary>Statements with names of their own: <c>with</c> and <c>generation</c>.</summary>
internal sealed record Scoped(IReadOnlyList<(Target Target, Expression Value)> Names, IReadOnlyList<Statement> Body, int Position)
    : Statement(Position);

/// <param name="Id">Its name; for the body of a call block <c>caller</c>.</param>
/// <param name="Parameters">Its parameters and their defaults.</param>
/// <param name="Body">What it writes.</param>
/// <param name="Names">Every name that the body reads: whether it takes further arguments, and a caller.</param>
/// <param name="Position">Where it is defined.</param>
internal sealed record MacroDefinition(
    string Id, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body, IReadOnlySet<string> Names,
    int Position) : Statement(Position);

internal sealed record CallBlock(Call Call, MacroDefinition Caller, int Position) : Statement(Position);

internal sealed record LoopJump(bool EndsLoop, int Position) : Statement(Position);

/// <summary>What a value is assigned to.</summary>
internal abstract record Target(int Position) : Node(Position);

internal sealed record NameTarget(string Id, int Position) : Target(Position);

internal sealed record MemberTarget(string Id, string Member, int Position) : Target(Position);

internal sealed record TupleTarget(IReadOnlyList<Target> Items, int Position) : Target(Position);
