namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>What becomes of the delimiters at which a text is cut; the names are those of tokenizer.json.</summary>
internal enum DelimiterBehavior
{
    /// <summary>They are left out.</summary>
    Removed,

    /// <summary>Each is a word.</summary>
    Isolated,

    /// <summary>Each run of them is a word.</summary>
    Contiguous,

    /// <summary>Each ends the word before it.</summary>
    MergedWithPrevious,

    /// <summary>Each starts the word after it.</summary>
    MergedWithNext,
}
