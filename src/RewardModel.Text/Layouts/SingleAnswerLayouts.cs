using System.Text.Json;

namespace RewardModel.Layouts;

/// <summary>Data of one answer a row: those of one prompt are compared with each other.</summary>
internal static class SingleAnswerLayouts
{
    private static readonly string[] answerKeys = ["response", "answer", "completion"];
    private static readonly string[] valueKeys = ["rank", "score", "rating", "label"];
    private static readonly string[] helpSteerMarks = ["helpfulness", "correctness", "coherence", "complexity", "verbosity"];

    /// <summary>HelpSteer and HelpSteer2: answers with marks of five kinds.</summary>
    public static readonly DataLayout HelpSteer = new(
        "helpsteer", "HelpSteer: answers with marks",
        ["prompt", "response", .. helpSteerMarks], null, ReadHelpSteer);

    /// <summary>Tables of prompts, answers and numbers.</summary>
    public static readonly DataLayout RankedTable = new(
        "ranked-table", "rows of one answer with its rank or score", ["prompt"], IsRanked, ReadRanked)
    {
        OtherKeys = [.. answerKeys, .. valueKeys, "attributes"],
    };

    private static RowReading ReadHelpSteer(RowFields fields)
    {
        var (prompt, answer) = (fields.Text("prompt"), fields.AnswerText("response"));
        var marks = fields.AttributesIn(helpSteerMarks);
        var score = fields.ScoreFrom is not null ? fields.ComputedScore()
            : marks?.TryGetValue("helpfulness", out var helpfulness) == true ? helpfulness
            : fields.Score("helpfulness");
        return RowReading.OfTexts(fields, prompt, [answer], [score], areOrder: false).AsAnswer(marks);
    }

    // What is only scored is of the own layout, whatever stands beside its answers.
    private static bool IsRanked(RowFields fields) =>
        !OwnLayout.IsOwn(fields) && !HelpSteer.Keys.All(fields.IsNamed) && answerKeys.Any(fields.Has)
        && (valueKeys.Any(fields.Has) || fields.ScoreFrom is not null || fields.KindOf("attributes") == JsonValueKind.Object);

    private static RowReading ReadRanked(RowFields fields)
    {
        var answerKey = fields.OnlyOf(answerKeys);
        var attributes = fields.AttributesOfAnswer();
        // Attributes alone make no order: all answers of a prompt are tied.
        var isUnscored = fields.ScoreFrom is null && !valueKeys.Any(fields.Has) && fields.Has("attributes");
        var (score, areOrder) = fields.ScoreFrom is not null ? (fields.ComputedScore(RowFields.NumberIn(attributes)), false)
            : isUnscored ? (0, true)
            : ValueOf(fields, fields.OnlyOf(valueKeys));
        if (fields.IsArray("prompt"))
            return RowReading.OfChat(
                fields, OwnLayout.ConversationOf(fields, fields.Messages("prompt")), [fields.Answer(answerKey)], [score], areOrder)
                .AsAnswer(attributes, isUnscored);
        return RowReading.OfTexts(fields, fields.Text("prompt"), [fields.AnswerText(answerKey)], [score], areOrder)
            .AsAnswer(attributes, isUnscored);
    }

    private static (double Score, bool IsOrder) ValueOf(RowFields fields, string key) => key switch
    {
        "rank" => (fields.ScoreOfRank("rank", best: 0), true),
        "label" when fields.Label("label") is { } label && bool.TryParse(label, out var isGood) => (isGood ? 1 : 0, false),
        _ => (fields.Score(key), false),
    };
}
