using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Data sets of two answers, side by side, and a judgement of them.</summary>
internal static class JudgedPairLayouts
{
    /// <summary>Pairs of Stack Exchange's answers as StackLLaMA was trained on: the first is the better one.</summary>
    public static readonly DataLayout StackLlama = new(
        "stackllama", "StackLLaMA's pairs of answers", ["question", "response_j", "response_k"], null, ReadStackLlama)
    {
        Metadata = ["qid", "date", "metadata"],
    };

    /// <summary>WebGPT's comparisons: the strength of the preference stands beside each answer.</summary>
    public static readonly DataLayout WebGpt = new(
        "webgpt-comparisons", "WebGPT's comparisons", ["question", "answer_0", "answer_1", "score_0", "score_1"],
        fields => fields.IsObjectWith("question", "full_text"), ReadWebGpt)
    {
        Metadata = ["dataset", "quotes_0", "quotes_1", "tokens_0", "tokens_1"],
    };

    /// <summary>Answers of PKU's set on safety: which is better, and, apart from that, which is safer.</summary>
    public static readonly DataLayout PkuSafeRlhf = new(
        "pku-saferlhf", "PKU-SafeRLHF", ["prompt", "response_0", "response_1", "better_response_id"], null, ReadPkuSafeRlhf)
    {
        Metadata =
        [
            "prompt_source", "response_0_source", "response_1_source", "is_response_0_safe", "is_response_1_safe",
            "response_0_harm_category", "response_1_harm_category", "response_0_severity_level", "response_1_severity_level",
            "response_0_sha256", "response_1_sha256",
        ],
    };

    /// <summary>Stanford's human preferences: comments with the votes that they had.</summary>
    public static readonly DataLayout Shp = new(
        "shp", "Stanford's human preferences", ["history", "human_ref_A", "human_ref_B", "labels", "score_A", "score_B"], null, ReadShp)
    {
        Metadata =
        [
            "post_id", "domain", "upvote_ratio", "c_root_id_A", "c_root_id_B", "created_at_utc_A", "created_at_utc_B",
            "seconds_difference", "score_ratio",
        ],
    };

    /// <summary>HelpSteer2's preferences, from -3 (the first answer is much better) to 3.</summary>
    public static readonly DataLayout HelpSteer2Preference = new(
        "helpsteer2-preference", "HelpSteer2's preferences", ["prompt", "response_1", "response_2", "preference_strength"], null,
        ReadHelpSteer2)
    {
        Metadata =
        [
            "split", "preference_statement", "preference_elaboration", "three_most_similar_preferences", "all_preferences_unprocessed",
        ],
    };

    /// <summary>HelpSteer3's preferences about conversations, of the same numbers.</summary>
    public static readonly DataLayout HelpSteer3 = new(
        "helpsteer3", "HelpSteer3's preferences", ["context", "response1", "response2", "overall_preference"], null, ReadHelpSteer3)
    {
        Metadata = ["domain", "language", "individual_preference"],
    };

    private static RowReading ReadStackLlama(RowFields fields) => RowReading.OfTexts(
        fields, StackExchangePrompt(fields), [fields.AnswerText("response_j"), fields.AnswerText("response_k")], RankedList.ScoresOfOrder(2),
        areOrder: true);

    /// <summary>What StackLLaMA made of a question.</summary>
    public static string StackExchangePrompt(RowFields fields) => $"Question: {fields.Text("question")}\n\nAnswer: ";

    private static RowReading ReadWebGpt(RowFields fields) => RowReading.OfTexts(
        fields, fields.Object("question").Text("full_text"), [fields.AnswerText("answer_0"), fields.AnswerText("answer_1")],
        [fields.Score("score_0"), fields.Score("score_1")], areOrder: false);

    private static RowReading ReadPkuSafeRlhf(RowFields fields) => RowReading.OfTexts(
        fields, fields.Text("prompt"), [fields.AnswerText("response_0"), fields.AnswerText("response_1")],
        ScoresOf(fields.Integer("better_response_id", 0, 1)), areOrder: true);

    private static RowReading ReadShp(RowFields fields)
    {
        string[] answers = [fields.AnswerText("human_ref_A"), fields.AnswerText("human_ref_B")];
        double[] scores = [fields.Score("score_A"), fields.Score("score_B")];
        var isFirstBetter = fields.Integer("labels", 0, 1) == 1;
        if (fields.Problems.Count == 0 && (isFirstBetter ? scores[0] < scores[1] : scores[1] < scores[0]))
            fields.Reject(
                $"\"labels\" is {(isFirstBetter ? "1, the first answer" : "0, the second answer")}, which has the lower score, "
                + "expected the better answer to have the higher score");
        return RowReading.OfTexts(fields, fields.Text("history"), answers, scores, areOrder: false);
    }

    private static RowReading ReadHelpSteer2(RowFields fields) => RowReading.OfTexts(
        fields, fields.Text("prompt"), [fields.AnswerText("response_1"), fields.AnswerText("response_2")],
        ScoresOfSign(fields, "preference_strength"), areOrder: true);

    private static RowReading ReadHelpSteer3(RowFields fields) => RowReading.OfChat(
        fields, OwnLayout.ConversationOf(fields, fields.Messages("context")), [AnswerOf(fields, "response1"), AnswerOf(fields, "response2")],
        ScoresOfSign(fields, "overall_preference"), areOrder: true);

    private static ChatMessage[] AnswerOf(RowFields fields, string key) => [new ChatMessage("assistant", fields.AnswerText(key))];

    /// <summary>Scores of a pair, of which the answer of an index is the better one.</summary>
    private static double[] ScoresOf(int better) => better == 0 ? [1, 0] : [0, 1];

    private static double[] ScoresOfSign(RowFields fields, string key) => fields.Integer(key, -3, 3) switch
    {
        < 0 => ScoresOf(0),
        > 0 => ScoresOf(1),
        _ => [0, 0],
    };
}
