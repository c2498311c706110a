using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Benchmarks of reward models.</summary>
internal static class BenchmarkLayouts
{
    /// <summary>RewardBench: pairs of texts.</summary>
    public static readonly DataLayout RewardBench = new(
        "reward-bench", "RewardBench's pairs", ["prompt", "chosen", "rejected", "chosen_model", "rejected_model"],
        fields => fields.AreTexts("chosen", "rejected"), ReadRewardBench)
    {
        Metadata = ["id", "subset", "chosen_model", "rejected_model"],
    };

    /// <summary>RewardBench 2: several answers that are right and several that are wrong.</summary>
    public static readonly DataLayout RewardBench2 = new(
        "reward-bench-2", "RewardBench 2: right and wrong answers", ["prompt", "chosen", "rejected"],
        fields => fields.KindOf("prompt") == JsonValueKind.String && fields.IsArrayOfTexts("chosen") && fields.IsArrayOfTexts("rejected"),
        ReadRewardBench2)
    {
        Metadata = ["id", "subset", "num_correct", "num_incorrect", "total_completions", "models", "additional_metadata"],
    };

    private static RowReading ReadRewardBench(RowFields fields) => RowReading.OfTexts(
        fields, fields.Text("prompt"), [fields.AnswerText("chosen"), fields.AnswerText("rejected")], RankedList.ScoresOfOrder(2),
        areOrder: true);

    private static RowReading ReadRewardBench2(RowFields fields)
    {
        var (chosen, rejected) = (fields.AnswerTexts("chosen"), fields.AnswerTexts("rejected"));
        return RowReading.OfTexts(
            fields, fields.Text("prompt"), [.. chosen, .. rejected], [.. chosen.Select(_ => 1.0), .. rejected.Select(_ => 0.0)],
            areOrder: true);
    }
}
