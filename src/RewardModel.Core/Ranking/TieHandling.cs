namespace RewardModel.Ranking;

/// <summary>What becomes of answers of one list that have equal scores. Answers that are equal token for token never make a pair.</summary>
public enum TieHandling
{
    /// <summary>They make no pair.</summary>
    Exclude,

    /// <summary>
    /// They make a pair of which either may be the better one: the log-sigmoid loss towards a probability of one half, which is least where
    /// their rewards are equal. No margin applies to it.
    /// </summary>
    Half,
}
