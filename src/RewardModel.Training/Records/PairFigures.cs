using RewardModel.Training.Evaluation;

namespace RewardModel.Training.Records;

/// <summary>Pairs to look at: the better answer and the worse one side by side.</summary>
internal static class PairFigures
{
    /// <summary>Pairs that are unfolded at first.</summary>
    private const int openCount = 2;

    private const int summaryLength = 90;

    /// <summary>Writes pairs.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="name">What their ids begin with.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="writeMore">Writes what else is known of a pair, by its index; null for nothing.</param>
    public static void Write(Html html, string name, IReadOnlyList<ShownPair> pairs, Action<int>? writeMore = null)
    {
        for (var i = 0; i < pairs.Count; i++)
            Write(html, pairs[i], i, $"{name}-{i + 1}", writeMore);
    }

    private static void Write(Html html, ShownPair pair, int index, string id, Action<int>? writeMore)
    {
        using var _ = html.Open("details", ("class", "pair"), ("id", id), ("open", index < openCount ? "" : null));
        var difference = (double)pair.Better.Reward - pair.Worse.Reward;
        using (html.Open("summary"))
        {
            html.Element("span", $"{index + 1}", ("class", "rank"));
            html.Element("span", Difference(difference), ("class", difference < 0 ? "difference wrong" : "difference right"));
            html.Element("span", Beginning(pair.Prompt), ("class", "beginning"), ("dir", "auto"));
        }
        html.Element(
            "p",
            $"{NumberText.Name(pair.Source)}{(pair.Group is null ? "" : $" · group {NumberText.Name(pair.Group)}")} · prompt of "
            + $"{NumberText.Count(pair.Prompt.Count, "token")}{Cut(pair.Prompt)}",
            ("class", "how"));
        TokenText.Write(html, pair.Prompt, reward: null);
        using (html.Open("div", ("class", "answers")))
        {
            Write(html, "Better answer", pair.Better, pair.Better.Reward > pair.Worse.Reward);
            Write(html, "Worse answer", pair.Worse, pair.Worse.Reward > pair.Better.Reward);
        }
        writeMore?.Invoke(index);
    }

    private static void Write(Html html, string title, ShownAnswer answer, bool isPreferred)
    {
        using var _ = html.Open("div", ("class", "answer"));
        using (html.Open("h4"))
        {
            html.Text(title);
            if (isPreferred)
                html.Element("span", "preferred by the model", ("class", "preferred"));
        }
        html.Element(
            "p",
            $"score {NumberText.Number(answer.Score)} · reward {NumberText.Number(answer.Reward)} · "
            + $"{NumberText.Count(answer.Tokens.Count, "token")}{Cut(answer.Tokens)}",
            ("class", "how"));
        TokenText.Write(html, answer.Tokens, answer.Reward);
    }

    private static string Cut(ShownTokens tokens) =>
        tokens.CutCount == 0 ? "" : $" · {NumberText.Count(tokens.CutCount, "token")} cut off before, at the maximum length";

    private static string Difference(double difference) => difference > 0 ? "+" + NumberText.Number(difference) : NumberText.Number(difference);

    /// <summary>The first words of a prompt, so that a folded pair can be told from others.</summary>
    private static string Beginning(ShownTokens prompt)
    {
        var text = "";
        foreach (var token in prompt.Start)
        {
            text += token.Length > summaryLength ? token[..summaryLength] : token;
            if (text.Length > summaryLength)
                return text[..summaryLength].ReplaceLineEndings(" ") + "…";
        }
        return text.ReplaceLineEndings(" ");
    }
}
