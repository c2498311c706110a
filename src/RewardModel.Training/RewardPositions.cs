namespace RewardModel.Training;

/// <summary>The rewards of an answer that the log-sigmoid loss compares.</summary>
public enum RewardPositions
{
    /// <summary>That of its last token, which is the answer's reward.</summary>
    Last,

    /// <summary>
    /// Those of its tokens, as trainers such as DeepSpeed-Chat and trlx do: the loss of a pair is the mean over the positions from the first token
    /// at which its answers differ to the end of the longer one. After its end an answer keeps the reward of its last token; those trainers
    /// go on to read rewards of padding there. Causal models only. Answers are scored at their last token all the same.
    /// </summary>
    All,
}
