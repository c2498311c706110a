using System.Collections.Frozen;
using System.Text;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>
/// GPT-2's spelling of bytes: printable Latin-1 characters stand for themselves, every other byte, in order, for the characters from
/// U+0100 on.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] characters = MakeCharacters();
    private static readonly FrozenDictionary<char, byte> bytes =
        Enumerable.Range(0, 256).ToFrozenDictionary(value => characters[value], value => (byte)value);

    /// <summary>The UTF-8 bytes of <paramref name="text"/>, one character each.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        var utf8 = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, utf8);
        return string.Create(utf8.Length, utf8, (span, source) =>
        {
            for (var i = 0; i < source.Length; i++)
                span[i] = characters[source[i]];
        });
    }

    /// <summary>Adds the bytes that <paramref name="spelling"/> stands for; adds none if a character is not in the alphabet.</summary>
    public static bool TryRead(string spelling, List<byte> result)
    {
        if (!spelling.All(bytes.ContainsKey))
            return false;
        foreach (var character in spelling)
            result.Add(bytes[character]);
        return true;
    }

    private static char[] MakeCharacters()
    {
        var result = new char[256];
        var next = '\u0100';
        for (var value = 0; value < 256; value++)
            result[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : next++;
        return result;
    }
}
