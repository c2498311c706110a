namespace RewardModel.Training.Checks;

/// <summary>The script of a letter.</summary>
internal enum Script
{
    None,
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,

    /// <summary>Devanagari and the other scripts of India, from U+0900 to U+0DFF.</summary>
    Indic,
    Thai,
    Kana,
    Hangul,
    Han,
    Other,
}
