namespace RewardModel.Client;

/// <summary>An answer of a list with its reward.</summary>
/// <param name="Index">Its place among the answers that were scored, from 0.</param>
/// <param name="Text">The answer; of a conversation's answer, which is messages, their JSON.</param>
/// <param name="Reward">Its reward; higher is better.</param>
/// <param name="Rank">1 for the best answer; those with the same reward have the same rank.</param>
/// <param name="WinProbability">
/// How probable it is that people prefer it to another answer of the list, by the Bradley-Terry model; null where it is the only one.
/// </param>
/// <param name="StandardDeviation">Of the rewards that the members of an ensemble give it; null where the model is no ensemble.</param>
/// <param name="WasCut">Whether prompt and answer were too long, so that the model has read a part.</param>
public readonly record struct AnswerReward(
    int Index, string Text, float Reward, int Rank, double? WinProbability, float? StandardDeviation, bool WasCut);
