using System.Text.Json;

namespace RewardModel.Layouts;

/// <summary>Data sets that have pairs as this library has them: they are read by its own layout, and known by name.</summary>
internal static class NamedPairLayouts
{
    /// <summary>Anthropic's dialogues about help and harm: two whole transcripts each.</summary>
    public static readonly DataLayout HhRlhf = new(
        "hh-rlhf", "HH-RLHF: pairs of transcripts", ["chosen", "rejected"], IsTranscripts, OwnLayout.Read);

    /// <summary>UltraFeedback as pairs of conversations with their scores.</summary>
    public static readonly DataLayout UltraFeedbackBinarized = new(
        "ultrafeedback-binarized", "UltraFeedback as pairs with scores",
        ["prompt", "prompt_id", "chosen", "rejected", "messages", "score_chosen", "score_rejected"],
        fields => fields.KindOf("prompt") == JsonValueKind.String && AreConversations(fields), OwnLayout.Read)
    {
        Metadata = ["prompt_id", "messages"],
    };

    /// <summary>Skywork's selection of pairs from other sets.</summary>
    public static readonly DataLayout Skywork = new(
        "skywork", "Skywork's pairs of conversations", ["chosen", "rejected", "source"],
        fields => !fields.Has("prompt") && AreConversations(fields), OwnLayout.Read)
    {
        Metadata = ["source"],
    };

    private static bool IsTranscripts(RowFields fields) =>
        !fields.Has("prompt") && fields.AreTexts("chosen", "rejected") && fields.StartsWith("chosen", "\n\nHuman:")
        && fields.StartsWith("rejected", "\n\nHuman:");

    private static bool AreConversations(RowFields fields) =>
        fields.IsArrayOf("chosen", "role", "content") && fields.IsArrayOf("rejected", "role", "content");
}
