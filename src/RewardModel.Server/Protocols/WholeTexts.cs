using RewardModel.Lists;

namespace RewardModel.Server.Protocols;

/// <summary>What has no prompt: texts that are read as they stand, and token ids.</summary>
internal static class WholeTexts
{
    /// <summary>
    /// A text in which special tokens are found. Those of the model's rule are put around it where it has none.
    /// </summary>
    public static ScoringInput Of(string text) => ScoringInput.Of(new RankedList("", [text], [0]) { IsWholeText = true });

    public static ScoringInput Of(int[] tokenIds) => ScoringInput.Of(new TokenizedList([], [tokenIds], [0]));

    /// <summary>The rewards of inputs that have one answer each.</summary>
    public static float[] Rewards(ScoringResult result) => [.. result.Lists.Select(list => list.Answers[0].Reward)];
}
