namespace RewardModel.Layouts;

/// <summary>Data of one answer a row: those of one prompt are compared with each other.</summary>
internal static class SingleAnswerLayouts
{
    private static readonly string[] answerKeys = ["response", "answer", "completion"];
    private static readonly string[] valueKeys = ["rank", "score", "rating", "label"];

    /// <summary>HelpSteer and HelpSteer2: answers with marks of five kinds.</summary>
    public static readonly DataLayout HelpSteer = new(
        "helpsteer", "HelpSteer: answers with marks",
        ["prompt", "response", "helpfulness", "correctness", "coherence", "complexity", "verbosity"], null, ReadHelpSteer);

    /// <summary>Tables of prompts, answers and numbers.</summary>
    public static readonly DataLayout RankedTable = new(
        "ranked-table", "rows of one answer with its rank or score", ["prompt"], IsRanked, ReadRanked)
    {
        OtherKeys = [.. answerKeys, .. valueKeys],
    };

    private static RowReading ReadHelpSteer(RowFields fields)
    {
        var (prompt, answer) = (fields.Text("prompt"), fields.AnswerText("response"));
        fields.Ignore("helpfulness", "correctness", "coherence", "complexity", "verbosity");
        var score = fields.ScoreFrom is null ? fields.Score("helpfulness") : fields.ComputedScore();
        return RowReading.OfTexts(fields, prompt, [answer], [score], areOrder: false).AsAnswer();
    }

    // What is only scored is of the own layout, whatever stands beside its answers.
    private static bool IsRanked(RowFields fields) =>
        !OwnLayout.IsOwn(fields) && !HelpSteer.Keys.All(fields.IsNamed) && answerKeys.Any(fields.Has)
        && (valueKeys.Any(fields.Has) || fields.ScoreFrom is not null);

    private static RowReading ReadRanked(RowFields fields)
    {
        var answerKey = fields.OnlyOf(answerKeys);
        var (score, areOrder) = fields.ScoreFrom is not null ? (fields.ComputedScore(), false) : ValueOf(fields, fields.OnlyOf(valueKeys));
        if (fields.IsArray("prompt"))
            return RowReading.OfChat(
                fields, OwnLayout.ConversationOf(fields, fields.Messages("prompt")), [fields.Answer(answerKey)], [score], areOrder).AsAnswer();
        return RowReading.OfTexts(fields, fields.Text("prompt"), [fields.AnswerText(answerKey)], [score], areOrder).AsAnswer();
    }

    private static (double Score, bool IsOrder) ValueOf(RowFields fields, string key) => key switch
    {
        "rank" => (fields.ScoreOfRank("rank", best: 0), true),
        "label" when fields.Label("label") is { } label && bool.TryParse(label, out var isGood) => (isGood ? 1 : 0, false),
        _ => (fields.Score(key), false),
    };
}
