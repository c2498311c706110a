namespace RewardModel.Training.Checks;

/// <summary>Text without what makes no difference to a reader: in lower case, with one space for any white space, none at its ends.</summary>
internal static class NormalizedText
{
    public static ReadOnlySpan<char> Of(ReadOnlySpan<char> text)
    {
        var result = new char[text.Length];
        var length = 0;
        foreach (var character in text)
            if (!char.IsWhiteSpace(character))
                result[length++] = char.IsAscii(character) && !char.IsAsciiLetterUpper(character)
                    ? character
                    : char.ToLowerInvariant(character);
            else if (length > 0 && result[length - 1] != ' ')
                result[length++] = ' ';
        return result.AsSpan(0, length).TrimEnd(' ');
    }
}
