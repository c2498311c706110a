namespace Microsoft.ML.Tokenizers;

/// <summary>
/// GPT-2's spelling of bytes: printable Latin-1 characters stand for themselves, every other byte, in order, for the characters from
/// U+0100 on.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] chars = MakeChars();
    private static readonly Dictionary<char, byte> bytes =
        Enumerable.Range(0, 256).ToDictionary(value => chars[value], value => (byte)value);

    public static char CharOf(byte value) => chars[value];

    public static bool TryGetByte(char character, out byte value) => bytes.TryGetValue(character, out value);

    private static char[] MakeChars()
    {
        var result = new char[256];
        var next = '\u0100';
        for (var value = 0; value < 256; value++)
            result[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : next++;
        return result;
    }
}
