namespace RewardModel.Training.Checks;

/// <summary>What is wrong with the characters of a text.</summary>
[Flags]
internal enum TextFlaws
{
    None = 0,

    /// <summary>UTF-8 that was read as Latin-1 or Windows-1252: Ã© for é.</summary>
    Mojibake = 1,

    /// <summary>U+FFFD, which stands for what could not be read.</summary>
    ReplacementCharacter = 2,

    /// <summary>U+FEFF, which belongs to the start of a file.</summary>
    ByteOrderMark = 4,

    /// <summary>Control characters other than tabs and line breaks.</summary>
    ControlCharacter = 8,

    /// <summary>An HTML entity: &amp;amp; for an ampersand.</summary>
    HtmlEntity = 16,
}
