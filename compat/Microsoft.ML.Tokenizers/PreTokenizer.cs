namespace Microsoft.ML.Tokenizers;

/// <summary>Cuts a text into words; no token crosses the border of a word.</summary>
public abstract class PreTokenizer
{
    /// <summary>The words as (offset, length), in the order of the text.</summary>
    public abstract IEnumerable<(int, int)> PreTokenize(string text);

    /// <inheritdoc cref="PreTokenize(string)"/>
    public abstract IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text);
}
