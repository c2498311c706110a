namespace Microsoft.ML.Tokenizers;

/// <summary>What a tokenizer's encoding methods hand to the public methods of <see cref="Tokenizer"/>.</summary>
public struct EncodeResults<T>
{
    public IReadOnlyList<T> Tokens { get; set; }

    /// <summary>The normalised text; null when nothing was normalised.</summary>
    public string NormalizedText { get; set; }

    /// <summary>How many characters of the normalised text the tokens cover.</summary>
    public int CharsConsumed { get; set; }
}
