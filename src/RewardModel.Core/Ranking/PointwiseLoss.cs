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

    /// <summary>
    /// The binary cross-entropy of sigmoid(r) with a score from 0 to 1, the probability that the answer is right: of whole answers outcome
    /// supervision, of the steps of solutions process supervision (arXiv 2305.20050).
    /// </summary>
    Logistic,

    /// <summary>
    /// (o - a)^2 of every output o of the head and the answer's attribute a of the same name, as models of several attributes are trained
    /// (arXiv 2406.08673, arXiv 2406.12845): the head has an output for each.
    /// </summary>
    Attributes,
}
