using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>Benchmarks of reward models. The part of the benchmark that a row is of is the group of its list.</summary>
internal static class BenchmarkLayouts
{
    /// <summary>RewardBench: pairs of texts.</summary>
    public static readonly DataLayout RewardBench = new(
        "reward-bench", "RewardBench's pairs", ["prompt", "chosen", "rejected", "chosen_model", "rejected_model"],
        fields => fields.AreTexts("chosen", "rejected"), ReadRewardBench)
    {
        Metadata = ["id", "chosen_model", "rejected_model"],
    };

    /// <summary>RewardBench 2: several answers that are right and several that are wrong.</summary>
    public static readonly DataLayout RewardBench2 = new(
        "reward-bench-2", "RewardBench 2: right and wrong answers", ["prompt", "chosen", "rejected"],
        fields => fields.KindOf("prompt") == JsonValueKind.String && fields.IsArrayOfTexts("chosen") && fields.IsArrayOfTexts("rejected")
            && !fields.IsNamed("domain"),
        ReadRewardBench2)
    {
        Metadata = ["id", "num_correct", "num_incorrect", "total_completions", "models", "additional_metadata"],
    };

    /// <summary>RM-Bench: a right and a wrong answer, each in three styles.</summary>
    public static readonly DataLayout RmBench = new(
        "rm-bench", "RM-Bench: right and wrong answers in three styles", ["prompt", "chosen", "rejected", "domain"],
        fields => fields.IsArrayOfTexts("chosen") && fields.IsArrayOfTexts("rejected"), ReadRmBench)
    {
        Metadata = ["id"],
    };

    /// <summary>JudgeBench: two answers, one of which is right.</summary>
    public static readonly DataLayout JudgeBench = new(
        "judge-bench", "JudgeBench's pairs", ["question", "response_A", "response_B", "label"], null, ReadJudgeBench)
    {
        Metadata = ["pair_id", "original_id", "response_model"],
    };

    private static RowReading ReadRewardBench(RowFields fields) => RowReading.OfTexts(
        fields, fields.Text("prompt"), [fields.AnswerText("chosen"), fields.AnswerText("rejected")], RankedList.ScoresOfOrder(2),
        areOrder: true).InGroup(fields.Label("subset"));

    private static RowReading ReadRewardBench2(RowFields fields)
    {
        var (chosen, rejected) = (fields.AnswerTexts("chosen"), fields.AnswerTexts("rejected"));
        return OfRightAndWrong(fields, chosen, rejected).InGroup(fields.Label("subset"));
    }

    private static RowReading ReadRmBench(RowFields fields)
    {
        var (chosen, rejected) = (Styles(fields, "chosen"), Styles(fields, "rejected"));
        return OfRightAndWrong(fields, chosen, rejected).InGroup(fields.Label("domain"));
    }

    private static string[] Styles(RowFields fields, string key)
    {
        var answers = fields.AnswerTexts(key);
        if (fields.Problems.Count == 0 && answers.Length != 3)
            fields.Reject(
                key,
                $"has {Counted.Of(answers.Length, "item")}, expected 3: the answer in short, in detail, and in detail with Markdown");
        return answers;
    }

    private static RowReading OfRightAndWrong(RowFields fields, string[] chosen, string[] rejected) => RowReading.OfTexts(
        fields, fields.Text("prompt"), [.. chosen, .. rejected], [.. chosen.Select(_ => 1.0), .. rejected.Select(_ => 0.0)],
        areOrder: true);

    private static RowReading ReadJudgeBench(RowFields fields)
    {
        var label = fields.Text("label");
        if (fields.Problems.Count == 0 && label is not ("A>B" or "B>A" or "A=B"))
            fields.Reject("label", $"is '{label}', expected one of A>B, B>A, A=B");
        return RowReading.OfTexts(
            fields, fields.Text("question"), [fields.AnswerText("response_A"), fields.AnswerText("response_B")],
            [label == "A>B" ? 1 : 0, label == "B>A" ? 1 : 0], areOrder: true).InGroup(fields.Label("source"));
    }
}
