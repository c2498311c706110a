using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Data sets of one prompt a row, with objects for its answers, or with lists beside each other.</summary>
internal static class AnswerObjectLayouts
{
    /// <summary>UltraFeedback: four answers with marks.</summary>
    public static readonly DataLayout UltraFeedback = new(
        "ultrafeedback", "UltraFeedback: answers with marks", ["instruction", "completions"],
        fields => fields.IsArrayOf("completions", "response"), ReadUltraFeedback)
    {
        Metadata = ["source", "models", "correct_answers", "incorrect_answers"],
    };

    /// <summary>Nectar: seven answers with ranks.</summary>
    public static readonly DataLayout Nectar = new(
        "nectar", "Nectar: answers with ranks", ["prompt", "answers"], fields => fields.IsArrayOf("answers", "answer", "rank"), ReadNectar)
    {
        Metadata = ["turns", "num_responses", "source", "good_natured"],
    };

    /// <summary>Questions of Stack Exchange with their answers' votes.</summary>
    public static readonly DataLayout StackExchange = new(
        "stack-exchange-preferences", "Stack Exchange: answers with votes", ["question", "answers"],
        fields => fields.IsArrayOf("answers", "text", "pm_score"), ReadStackExchange)
    {
        Metadata = ["qid", "date", "metadata"],
    };

    /// <summary>What NeMo's trainers read: completions with ranks, from 0.</summary>
    public static readonly DataLayout Nemo = new(
        "nemo", "NeMo: completions with ranks", ["context", "completions"],
        fields => fields.IsArrayOf("completions", "rank", "completion"), ReadNemo)
    {
        Metadata = ["task_name"],
    };

    /// <summary>What distilabel and Argilla write: generations and their ratings, as two lists.</summary>
    public static readonly DataLayout Distilabel = new("distilabel", "distilabel: generations and ratings", ["generations"], IsRated, ReadRated)
    {
        OtherKeys = ["instruction", "input", "ratings", "rating", "system_prompt"],
        Metadata =
        [
            "generation_model", "generation_models", "generation_prompt", "model_names", "model_name", "rationales", "rationale",
            "ultrafeedback_model", "labelling_model", "labelling_prompt", "raw_generation_responses", "raw_generation_response",
            "raw_labelling_response", "distilabel_metadata", "areas", "types", "rationales-for-ratings", "prompt_id",
        ],
    };

    private static RowReading ReadUltraFeedback(RowFields fields)
    {
        var prompt = fields.Text("instruction");
        RowFields[] completions = fields.Objects("completions");
        string[] answers = [.. completions.Select(completion => completion.AnswerText("response"))];
        double?[] marks = [.. completions.Select(MarkOf)];
        IReadOnlyDictionary<string, double>[] attributes =
            [.. completions.Zip(marks).Where(pair => pair.Second is not null).Select(pair => RatingsOf(pair.First))];
        return Scored(fields, prompt, answers, marks) with { Attributes = fields.IsToScore ? null : attributes };
    }

    /// <summary>The ratings of a completion's annotations by aspects; those that are no numbers, as <c>N/A</c>, are left out.</summary>
    private static Dictionary<string, double> RatingsOf(RowFields completion)
    {
        var ratings = new Dictionary<string, double>();
        if (completion.KindOf("annotations") != JsonValueKind.Object)
            return ratings;
        var annotations = completion.Object("annotations");
        foreach (var aspect in annotations.Keys.Where(aspect => annotations.IsObjectWith(aspect, "Rating")))
            if (annotations.Object(aspect).ScoreOrNone("Rating") is { } rating)
                ratings[aspect] = rating;
        return ratings;
    }

    /// <summary>The mark of a completion; null where it has none. Names of an expression may be those of its annotations.</summary>
    private static double? MarkOf(RowFields completion)
    {
        if (completion.ScoreFrom is null)
            return completion.ScoreOrNone("overall_score");
        var annotations = completion.Has("annotations") ? completion.Object("annotations") : null;
        return completion.ComputedScore(
            aspect => annotations?.KindOf(aspect) == JsonValueKind.Object ? annotations.Object(aspect).Score("Rating") : null);
    }

    private static RowReading ReadNectar(RowFields fields)
    {
        var prompt = fields.Text("prompt");
        RowFields[] answers = fields.Objects("answers");
        return RowReading.OfTexts(
            fields, prompt, [.. answers.Select(answer => answer.AnswerText("answer"))], [.. answers.Select(answer => ScoreOfRank(answer))],
            areOrder: fields.ScoreFrom is null);
    }

    private static RowReading ReadStackExchange(RowFields fields)
    {
        var prompt = JudgedPairLayouts.StackExchangePrompt(fields);
        RowFields[] answers = fields.Objects("answers");
        return RowReading.OfTexts(
            fields, prompt, [.. answers.Select(answer => answer.AnswerText("text"))],
            [.. answers.Select(answer => fields.ScoreFrom is null ? answer.Score("pm_score") : answer.ComputedScore())], areOrder: false);
    }

    private static RowReading ReadNemo(RowFields fields)
    {
        var context = OwnLayout.ConversationOf(fields, fields.Messages("context"));
        RowFields[] completions = fields.Objects("completions");
        return RowReading.OfChat(
            fields, context, [.. completions.Select(completion => completion.Answer("completion"))],
            [.. completions.Select(completion => ScoreOfRank(completion, best: 0))], areOrder: fields.ScoreFrom is null);
    }

    private static double ScoreOfRank(RowFields answer, int best = 1) =>
        answer.ScoreFrom is null ? answer.ScoreOfRank("rank", best) : answer.ComputedScore();

    // Of Argilla's first sets, the rating is one of pairs that are given as such too.
    private static bool IsRated(RowFields fields) =>
        fields.IsArrayOfTexts("generations") && (fields.Has("instruction") || fields.Has("input"))
        && (fields.IsArray("ratings") || (fields.IsArray("rating") && !fields.Has("chosen")));

    private static RowReading ReadRated(RowFields fields)
    {
        var prompt = fields.Text(fields.Has("instruction") ? "instruction" : "input");
        var (answers, ratings) = (fields.AnswerTexts("generations"), fields.ScoresOrNone(fields.Has("ratings") ? "ratings" : "rating"));
        if (fields.Problems.Count == 0 && ratings.Length != answers.Length)
            fields.Reject($"{ratings.Length} ratings for {answers.Length} generations");
        if (!fields.Has("system_prompt"))
            return Scored(fields, prompt, answers, ratings);
        var conversation = new Conversation(fields.WithSystem([new ChatMessage("user", prompt)], "system_prompt"));
        var (kept, scores) = Kept(fields, answers, ratings);
        ChatMessage[][] messages = [.. kept.Select(answer => new[] { new ChatMessage("assistant", answer) })];
        return RowReading.OfChat(fields, conversation, messages, scores, areOrder: false) with
        {
            LeftOutAnswerCount = answers.Length - kept.Length,
        };
    }

    private static RowReading Scored(RowFields fields, string prompt, string[] answers, double?[] scores)
    {
        var (kept, keptScores) = Kept(fields, answers, scores);
        return RowReading.OfTexts(fields, prompt, kept, keptScores, areOrder: false) with { LeftOutAnswerCount = answers.Length - kept.Length };
    }

    /// <summary>The answers that have a score, at least two of them.</summary>
    private static (string[] Answers, double[] Scores) Kept(RowFields fields, string[] answers, double?[] scores)
    {
        var kept = answers.Zip(scores).Where(pair => pair.Second is not null).ToArray();
        if (fields.Problems.Count == 0 && kept.Length < 2)
            fields.Reject($"{kept.Length} of {answers.Length} answers have a score, expected at least 2");
        return ([.. kept.Select(pair => pair.First)], [.. kept.Select(pair => pair.Second!.Value)]);
    }
}
