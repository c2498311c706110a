namespace Microsoft.ML.Tokenizers;

/// <summary>What a <see cref="BpeTokenizer"/> is made of.</summary>
public sealed class BpeOptions
{
    /// <param name="vocabulary">Every token and its id.</param>
    public BpeOptions(IEnumerable<KeyValuePair<string, int>> vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        Vocabulary = vocabulary;
    }

    internal IEnumerable<KeyValuePair<string, int>> Vocabulary { get; }

    /// <summary>The merges, most important first, each as the two tokens with a space between.</summary>
    public IEnumerable<string> Merges { get; set; }

    /// <summary>The token that stands for a character the vocabulary lacks; null drops such characters.</summary>
    public string UnknownToken { get; set; }

    /// <summary>Whether neighbouring unknown characters become one unknown token.</summary>
    public bool FuseUnknownTokens { get; set; }

    /// <summary>What the vocabulary writes before every token that doesn't start a word; null for nothing.</summary>
    public string ContinuingSubwordPrefix { get; set; }

    /// <summary>What the vocabulary writes after every token that ends a word; null for nothing.</summary>
    public string EndOfWordSuffix { get; set; }

    /// <summary>Whether the vocabulary spells UTF-8 bytes, each as a printable character, as GPT-2's does.</summary>
    public bool ByteLevel { get; set; }
}
