namespace RewardModel.Training;

/// <summary>Which of the evaluated weights a run keeps.</summary>
public enum BestBy
{
    /// <summary>Those with the highest held-out accuracy; of equal ones those with the lower held-out loss.</summary>
    Accuracy,

    /// <summary>Those with the lowest held-out loss.</summary>
    Loss,

    /// <summary>The last ones, whatever the evaluations say.</summary>
    Last,
}
