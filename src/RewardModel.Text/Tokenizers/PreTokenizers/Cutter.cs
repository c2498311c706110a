namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>Cuts a text into words.</summary>
internal abstract class Cutter
{
    /// <param name="text">The text.</param>
    /// <param name="offset">What is added to the words' starts.</param>
    /// <param name="words">Where the words are added, none of them empty.</param>
    public abstract void Cut(ReadOnlySpan<char> text, int offset, List<(int Start, int Length)> words);
}
