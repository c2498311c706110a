namespace Microsoft.ML.Tokenizers;

/// <summary>How a text is to be encoded.</summary>
public struct EncodeSettings
{
    /// <summary>Pre-tokenization and normalisation on, any number of tokens.</summary>
    public EncodeSettings()
    {
    }

    public bool ConsiderPreTokenization { get; set; } = true;

    public bool ConsiderNormalization { get; set; } = true;

    public int MaxTokenCount { get; set; } = int.MaxValue;
}
