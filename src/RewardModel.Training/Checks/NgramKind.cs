namespace RewardModel.Training.Checks;

/// <summary>What an <see cref="NgramModel"/> sees of an answer.</summary>
internal enum NgramKind
{
    /// <summary>Which words it has; which characters, where it has few spaces.</summary>
    Words,

    /// <summary>Words, and pairs of words that follow each other; of characters, where it has few spaces.</summary>
    WordPairs,

    /// <summary>Up to three characters in a row, whatever stands between the words.</summary>
    Characters,
}
