using System.Runtime.CompilerServices;

namespace RewardModel.Jinja;

/// <summary>The tokens of a template, read one by one.</summary>
internal sealed class TokenReader(TemplateSource source, IReadOnlyList<TemplateToken> tokens)
{
    /// <summary>Deeper nesting than any template has.</summary>
    private const int MaxDepth = 500;

    private int index;
    private int depth;

    public TemplateToken Current => tokens[index];

    public TemplateToken Following => tokens[Math.Min(index + 1, tokens.Count - 1)];

    /// <summary>The current token; the next one is then current.</summary>
    public TemplateToken Next() => index + 1 < tokens.Count ? tokens[index++] : tokens[index];

    public bool Skip(TemplateTokenKind kind, string value)
    {
        if (!Current.Is(kind, value))
            return false;
        index++;
        return true;
    }

    public TemplateToken Expect(TemplateTokenKind kind) => Current.Kind == kind
        ? Next()
        : throw Problem(
            Current.Position,
            $"{Current} found where {(kind == TemplateTokenKind.Name ? "a name" : new TemplateToken(kind, "", 0))} was expected");

    public void ExpectOperator(string value)
    {
        if (!Skip(TemplateTokenKind.Operator, value))
            throw Problem(Current.Position, $"{Current} found where '{value}' was expected");
    }

    public void ExpectName(string value)
    {
        if (!Skip(TemplateTokenKind.Name, value))
            throw Problem(Current.Position, $"{Current} found where '{value}' was expected");
    }

    public ChatTemplateException Problem(int position, string problem) => source.Problem(position, problem);

    /// <summary>Counts nesting until the result is disposed of.</summary>
    public Nesting Deeper()
    {
        if (++depth > MaxDepth)
            throw Problem(Current.Position, $"more than {MaxDepth} levels of nesting");
        return RuntimeHelpers.TryEnsureSufficientExecutionStack()
            ? new Nesting(this)
            : throw Problem(Current.Position, "more levels of nesting than the thread's stack has room for");
    }

    /// <summary>One level of nesting.</summary>
    public readonly struct Nesting(TokenReader reader) : IDisposable
    {
        public void Dispose() => reader.depth--;
    }
}
