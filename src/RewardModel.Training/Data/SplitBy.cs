namespace RewardModel.Training.Data;

/// <summary>What of the data is held out as a whole, so that no part of it is both trained on and evaluated.</summary>
public enum SplitBy
{
    /// <summary>All lists of a prompt. The default.</summary>
    Prompt,

    /// <summary>All lists of a group (<see cref="TrainingRunOptions.GroupBy"/>), such as a data set or an annotator.</summary>
    Group,

    /// <summary>All lists of prompts that are nearly the same.</summary>
    NearDuplicate,
}
