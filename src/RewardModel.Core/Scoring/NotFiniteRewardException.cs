namespace RewardModel.Scoring;

/// <summary>
/// A reward came out infinite or not a number. Scoring returns none of its rewards then: the message says which answer it is, of which model,
/// and what to do.
/// </summary>
public sealed class NotFiniteRewardException : Exception
{
    internal NotFiniteRewardException(float reward, int answer, string list, string model)
        : base(FormattableString.Invariant($"The reward of answer {answer} of {list} is {reward}, by {model}; expected a finite number. ")
            + "Its weights are damaged or too large, or its normaliser is. Use the model of a run that did not diverge, and compute in float32.")
    {
    }
}
