using System.Globalization;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>SentencePiece's tokens for single bytes: <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>.</summary>
internal static class ByteTokens
{
    /// <summary>All 256, in the order of the bytes.</summary>
    public static IEnumerable<string> All => Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>");

    public static bool TryRead(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
