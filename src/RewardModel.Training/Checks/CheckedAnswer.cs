namespace RewardModel.Training.Checks;

/// <summary>What is kept of an answer.</summary>
/// <param name="Hash">Of its text or ids.</param>
/// <param name="Score">Higher is better.</param>
/// <param name="Characters">Its length; negative where there is no text.</param>
/// <param name="Tokens">Its length after the cut; negative where there is no tokenizer.</param>
/// <param name="Marks">Signs of punctuation and Markdown.</param>
internal readonly record struct CheckedAnswer(ulong Hash, double Score, int Characters, int Tokens, int Marks);
