namespace RewardModel.Layouts;

public sealed partial class DataLayout
{
    /// <summary>The layouts that are recognised, in the order in which rows are compared with them.</summary>
    public static IReadOnlyList<DataLayout> Known { get; } =
    [
        NamedPairLayouts.HhRlhf,
        NamedPairLayouts.UltraFeedbackBinarized,
        NamedPairLayouts.Skywork,
        JudgedPairLayouts.StackLlama,
        JudgedPairLayouts.WebGpt,
        JudgedPairLayouts.PkuSafeRlhf,
        JudgedPairLayouts.Shp,
        JudgedPairLayouts.HelpSteer2Preference,
        JudgedPairLayouts.HelpSteer3,
        SummaryLayouts.Comparisons,
        SummaryLayouts.Axes,
        AnswerObjectLayouts.UltraFeedback,
        AnswerObjectLayouts.Nectar,
        AnswerObjectLayouts.StackExchange,
        AnswerObjectLayouts.Nemo,
        AnswerObjectLayouts.Distilabel,
        TreeLayouts.Trees,
        TreeLayouts.Messages,
        BattleLayouts.Arena,
        BattleLayouts.ArenaTurns,
        BenchmarkLayouts.RewardBench,
        BenchmarkLayouts.RewardBench2,
        BenchmarkLayouts.RmBench,
        BenchmarkLayouts.JudgeBench,
        TrainerLayouts.ShareGpt,
        TrainerLayouts.Alpaca,
        TrainerLayouts.Axolotl,
        TrainerLayouts.AxolotlChat,
        StepLayouts.MathShepherd,
        StepLayouts.Prm800K,
        StepLayouts.Stepwise,
        TableLayouts.BestFirst,
        SingleAnswerLayouts.HelpSteer,
        SingleAnswerLayouts.RankedTable,
        // The layout of this library is the last: it is what a row is taken for that is of no other.
        OwnLayout.Lists,
    ];

    /// <summary>What rows are read by that are of no layout: its messages say what is expected.</summary>
    internal static DataLayout Own => Known[^1];

    /// <summary>The layout of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="more">Layouts of the caller.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    internal static DataLayout Named(string name, IReadOnlyList<DataLayout> more) =>
        more.Concat(Known).FirstOrDefault(layout => layout.Name == name)
        ?? throw new ArgumentException(
            $"The layout '{name}' is not known; expected one of: {string.Join(", ", more.Concat(Known).Select(layout => layout.Name))}.");
}
