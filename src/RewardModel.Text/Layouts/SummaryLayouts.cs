using System.Text.Json;

namespace RewardModel.Layouts;

/// <summary>OpenAI's summaries with feedback, whose prompts are made as those of arXiv 2009.01325.</summary>
internal static class SummaryLayouts
{
    private static readonly string[] metadata = ["worker", "batch", "split", "extra"];

    /// <summary>Comparisons of two summaries.</summary>
    public static readonly DataLayout Comparisons = new(
        "openai-summarize", "OpenAI's comparisons of summaries", ["info", "summaries", "choice"],
        fields => fields.KindOf("info") == JsonValueKind.Object && fields.IsArrayOf("summaries", "text"), ReadComparison)
    {
        Metadata = metadata,
    };

    /// <summary>One summary a row, with marks along several axes.</summary>
    public static readonly DataLayout Axes = new(
        "openai-summarize-axis", "OpenAI's marks of summaries", ["info", "summary"],
        fields => fields.KindOf("info") == JsonValueKind.Object && fields.IsObjectWith("summary", "text", "axes"), ReadMarked)
    {
        Metadata = metadata,
    };

    private static RowReading ReadComparison(RowFields fields)
    {
        var prompt = PromptOf(fields.Object("info"));
        string[] summaries = [.. fields.Objects("summaries").Select(summary => summary.AnswerText("text"))];
        if (summaries.Length > 0 && summaries.Length != 2)
            fields.Reject("summaries", $"has {summaries.Length} items, expected 2");
        double[] scores = fields.Integer("choice", 0, 1) == 0 ? [1, 0] : [0, 1];
        return RowReading.OfTexts(fields, prompt, summaries, scores, areOrder: true);
    }

    private static RowReading ReadMarked(RowFields fields)
    {
        var prompt = PromptOf(fields.Object("info"));
        var summary = fields.Object("summary");
        var (text, axes) = (summary.AnswerText("text"), summary.Object("axes"));
        var mark = fields.ScoreFrom is null ? axes.Score("overall") : axes.ComputedScore();
        return RowReading.OfTexts(fields, prompt, [text], [mark], areOrder: false).AsAnswer();
    }

    /// <summary>A post of Reddit, or an article of CNN and Daily Mail.</summary>
    private static string PromptOf(RowFields info)
    {
        if (info.Has("article"))
            return $"Article:\n{info.Text("article")}\n\nTL;DR:\n";
        string subreddit = info.Text("subreddit"), title = info.Text("title");
        return $"SUBREDDIT: r/{subreddit}\n\nTITLE: {title}\n\nPOST: {info.Text("post")}\n\nTL;DR:";
    }
}
