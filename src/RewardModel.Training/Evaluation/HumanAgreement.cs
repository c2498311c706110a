namespace RewardModel.Training.Evaluation;

/// <summary>
/// What people agree on, where lists judge the same two answers to one prompt more than once: no model can be right more often.
/// </summary>
/// <param name="PairCount">Pairs of answers that were judged more than once, ties left out.</param>
/// <param name="JudgmentCount">Their judgments.</param>
/// <param name="Agreement">How often two judgments of a pair are the same: the mean over pairs.</param>
/// <param name="Ceiling">The accuracy on the judgments of a model that always goes with the majority.</param>
/// <param name="Accuracy">The model's accuracy on them.</param>
public sealed record HumanAgreement(long PairCount, long JudgmentCount, double Agreement, double Ceiling, double Accuracy);
