namespace RewardModel.Tokenizers.Pipeline;

/// <summary>A part of a text: an added token, or, if <paramref name="Token"/> is null, text between added tokens.</summary>
/// <param name="Text">The part.</param>
/// <param name="Token">The added token.</param>
/// <param name="Start">Where it starts.</param>
internal readonly record struct Section(string Text, AddedToken? Token, int Start)
{
    /// <summary>Whether nothing of the text stands before it.</summary>
    public bool StartsText { get; init; } = Start == 0;
}
