namespace RewardModel.Scoring;

/// <summary>What a model gives of the answers of lists.</summary>
/// <param name="Rewards">Per list, one reward for each of its answers.</param>
/// <param name="Outputs">
/// Per list and answer, what each output of the head gives, before the normaliser; null where the reward is the only one.
/// </param>
internal sealed record ScoredAnswers(float[][] Rewards, float[][][]? Outputs);
