namespace RewardModel.Ranking;

/// <summary>A loss of every answer by itself, for scores that mean something across lists.</summary>
public enum PointwiseLoss
{
    /// <summary>None.</summary>
    None,

    /// <summary>(r - s)^2: the reward is to be the score.</summary>
    Regression,

    /// <summary>
    /// The scores are levels in their order, of which the reward is to say which ones an answer reaches: cumulative logits (McCullagh 1980)
    /// as CORAL trains them (arXiv 1901.07884), with fixed thresholds.
    /// </summary>
    Levels,
}
