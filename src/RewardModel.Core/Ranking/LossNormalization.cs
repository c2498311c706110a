namespace RewardModel.Ranking;

/// <summary>How the lists of a step are weighed against each other.</summary>
public enum LossNormalization
{
    /// <summary>
    /// Mean over a list's pairs, then mean over the lists (InstructGPT, arXiv 2203.02155, eq. 1): every prompt weighs the same.
    /// </summary>
    PerList,

    /// <summary>Mean over all pairs of the step: a list weighs as much as it has pairs.</summary>
    PerPair,
}
