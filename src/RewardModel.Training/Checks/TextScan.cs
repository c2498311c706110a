namespace RewardModel.Training.Checks;

/// <summary>What one look at the characters of a text tells.</summary>
internal readonly struct TextScan
{
    public TextFlaws Flaws { get; private init; }

    public ScriptCounts Letters { get; private init; }

    /// <summary>Punctuation and symbols of ASCII, of which Markdown consists.</summary>
    public int Marks { get; private init; }

    public static TextScan Of(ReadOnlySpan<char> text)
    {
        var (flaws, letters, marks) = (TextFlaws.None, default(ScriptCounts), 0);
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (char.IsAsciiLetter(character))
                letters[(int)Script.Latin]++;
            else if (char.IsAscii(character))
                if (char.IsControl(character))
                    flaws |= character is '\t' or '\n' or '\r' ? TextFlaws.None : TextFlaws.ControlCharacter;
                else
                {
                    marks += character == ' ' || char.IsAsciiDigit(character) ? 0 : 1;
                    if (character == '&' && HtmlEntity.StartsAt(text[i..]))
                        flaws |= TextFlaws.HtmlEntity;
                }
            else
            {
                letters[(int)ScriptCounts.Of(character)]++;
                flaws |= character switch
                {
                    '\ufffd' => TextFlaws.ReplacementCharacter,
                    '\ufeff' => TextFlaws.ByteOrderMark,
                    _ when char.IsControl(character) => TextFlaws.ControlCharacter,
                    _ when Mojibake.StartsAt(text[i..]) => TextFlaws.Mojibake,
                    _ => TextFlaws.None,
                };
            }
        }
        return new TextScan { Flaws = flaws, Letters = letters, Marks = marks };
    }
}
