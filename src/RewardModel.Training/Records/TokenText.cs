using RewardModel.Training.Evaluation;

namespace RewardModel.Training.Records;

/// <summary>Texts as the model reads them: every other token is shaded, so that their ends are seen.</summary>
internal static class TokenText
{
    /// <summary>Tokens of the beginning that are shown at once; more of them unfold.</summary>
    private const int mostAtOnce = 120;

    /// <summary>Tokens of the end that are shown at once: the reward is read there.</summary>
    private const int mostOfEnd = 40;

    /// <summary>Tokens of the beginning that are in the report at all.</summary>
    private const int mostOfStart = 1000;

    /// <summary>Characters of a token; more are no token of a tokenizer.</summary>
    private const int mostCharacters = 200;

    /// <summary>Writes a text.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="reward">The reward that is read at its last token; null for a prompt.</param>
    public static void Write(Html html, ShownTokens tokens, float? reward)
    {
        var all = tokens.Start.Count;
        var (start, gap, end) = (tokens.Start, tokens.LeftOutCount, tokens.End);
        if (end.Count == 0 && gap == 0)
        {
            // One run of tokens: its end is shown as well.
            var ofEnd = all > mostAtOnce + mostOfEnd ? mostOfEnd : 0;
            (start, end) = ([.. start.Take(all - ofEnd)], [.. start.Skip(all - ofEnd)]);
        }
        if (start.Count > mostOfStart)
        {
            gap += start.Count - mostOfStart;
            start = [.. start.Take(mostOfStart)];
        }
        if (end.Count > mostOfStart)
        {
            gap += end.Count - mostOfStart;
            end = [.. end.Skip(end.Count - mostOfStart)];
        }

        using var _ = html.Open("div", ("class", "tokens"), ("dir", "auto"));
        WriteTokens(html, start.Take(mostAtOnce), 0);
        if (start.Count > mostAtOnce)
            using (html.Open("details"))
            {
                html.Element("summary", $"{NumberText.Count(start.Count - mostAtOnce, "token")} more");
                WriteTokens(html, start.Skip(mostAtOnce), mostAtOnce);
            }
        if (gap > 0)
            html.Element("p", $"{NumberText.Count(gap, "token")} not shown", ("class", "gap"));
        WriteTokens(html, end, start.Count);
        if (reward is { } read)
            html.Element("span", $"◂ reward {NumberText.Number(read)}", ("class", "read"), ("title", "The reward is read here, at the last token."));
    }

    /// <summary>Tokens, the second, fourth and so on of the text in elements of their own.</summary>
    private static void WriteTokens(Html html, IEnumerable<string> tokens, int first)
    {
        foreach (var token in tokens)
        {
            var text = token.Length <= mostCharacters
                ? token
                : $"{token[..mostCharacters]}… ({NumberText.Count(token.Length - mostCharacters, "character")} more)";
            if (first++ % 2 == 0)
                html.Text(text);
            else
                html.Element("span", text);
        }
    }
}
