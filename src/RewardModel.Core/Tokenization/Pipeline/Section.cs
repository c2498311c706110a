namespace RewardModel.Tokenization.Pipeline;

/// <summary>A part of a text: an added token, or, if <paramref name="Token"/> is null, text between added tokens.</summary>
/// <param name="Text">The part.</param>
/// <param name="Token">The added token.</param>
/// <param name="StartsText">Whether it is the first part.</param>
internal readonly record struct Section(string Text, AddedToken? Token, bool StartsText);
