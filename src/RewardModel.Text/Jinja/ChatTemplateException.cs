namespace RewardModel.Jinja;

/// <summary>A chat template that can't be used, or that rejects a conversation.</summary>
public sealed class ChatTemplateException : Exception
{
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="line">The line of the template where the problem is, counted from 1.</param>
    /// <param name="column">The column of that line, counted from 1.</param>
    public ChatTemplateException(string problem, int line, int column)
        : base($"chat template, line {line}, column {column}: {problem}") => (Problem, Line, Column) = (problem, line, column);

    /// <summary>The message without its place.</summary>
    public string Problem { get; }

    /// <summary>The line of the template, counted from 1.</summary>
    public int Line { get; }

    /// <summary>The column of that line, counted from 1.</summary>
    public int Column { get; }
}
