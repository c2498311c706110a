namespace RewardModel.Training;

/// <summary>Which evaluated weights a run keeps as the best.</summary>
public enum BestBy
{
    /// <summary>Those with the highest held-out accuracy; of equal ones those with the lower held-out loss.</summary>
    Accuracy,

    /// <summary>Those with the lowest held-out loss.</summary>
    Loss,

    /// <summary>The final ones, regardless of the evaluations.</summary>
    Last,
}
