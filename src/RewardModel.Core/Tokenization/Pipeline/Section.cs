namespace RewardModel.Tokenization.Pipeline;

/// <summary>A part of a text: an added token, or, if <paramref name="Token"/> is null, text between added tokens.</summary>
internal readonly record struct Section(string Text, AddedToken? Token);
