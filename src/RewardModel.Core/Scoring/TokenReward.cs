namespace RewardModel.Scoring;

/// <summary>The reward at a token of an answer.</summary>
/// <param name="Text">
/// What the token adds to the text that the model reads, special tokens by their names; of tokens that make a character only together the last
/// one has it.
/// </param>
/// <param name="Start">
/// Where it begins in the answer's text, in UTF-16 units; null for a token that is not of the answer's text (special tokens, what a chat
/// template writes), and where the tokenizer or the template changes the text so that its places in it are not known.
/// </param>
/// <param name="End">Where it ends.</param>
/// <param name="Reward">The reward.</param>
public readonly record struct TokenReward(string Text, int? Start, int? End, float Reward);

/// <summary>The reward of a step of an answer.</summary>
/// <param name="Text">The step, with the separator that ends it.</param>
/// <param name="End">Where it ends in the answer's text, in UTF-16 units.</param>
/// <param name="Reward">
/// The reward at the token that has the step's last character, the answer's reward for the last step if no separator ends it; null for a step
/// of which the end was cut off at the maximum length.
/// </param>
public readonly record struct StepReward(string Text, int End, float? Reward);
