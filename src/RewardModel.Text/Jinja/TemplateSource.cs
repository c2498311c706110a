namespace RewardModel.Jinja;

/// <summary>A template's text as Jinja reads it: lines end in \n, and one line end at the very end is left out.</summary>
internal sealed class TemplateSource
{
    /// <summary>The most characters of a template; the longest of published models have some 20,000.</summary>
    private const int MaxLength = 1_000_000;

    /// <exception cref="ChatTemplateException">It is too long.</exception>
    public TemplateSource(string text)
    {
        if (text.Length > MaxLength)
            throw new ChatTemplateException($"the template has {text.Length} characters, expected at most {MaxLength}", line: 1, column: 1);
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        Text = lines.EndsWith('\n') ? lines[..^1] : lines;
    }

    public string Text { get; }

    /// <summary>A problem at a place in the text.</summary>
    public ChatTemplateException Problem(int position, string problem)
    {
        var before = Text.AsSpan(0, Math.Min(position, Text.Length));
        return new ChatTemplateException(Excerpt.OfProblem(problem), before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }
}
