using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.ML.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's table of replacements. It holds the size of a double-array trie in bytes, the trie, and the replacements, each with a
/// zero byte after it; integers are little endian. A trie maps the UTF-8 of what is replaced to where its replacement starts.
/// </summary>
internal sealed class PrecompiledNormalizer : Normalizer
{
    /// <summary>Longer clusters of characters, in bytes of UTF-8, are not looked up as a whole.</summary>
    private const int MaxClusterLength = 5;

    private readonly uint[] trie;
    private readonly byte[] replacements;

    private PrecompiledNormalizer(uint[] trie, byte[] replacements) => (this.trie, this.replacements) = (trie, replacements);

    /// <summary>Reads a table; null, with the reason, if it is malformed.</summary>
    public static PrecompiledNormalizer? TryRead(ReadOnlySpan<byte> table, out string reason)
    {
        reason = "";
        if (table.Length < sizeof(uint))
            reason = $"it has {table.Length} bytes, expected at least {sizeof(uint)}";
        else if (BinaryPrimitives.ReadUInt32LittleEndian(table) is var size && (size == 0 || size % sizeof(uint) != 0))
            reason = $"its trie has {size} bytes, expected a positive multiple of {sizeof(uint)}";
        else if (size > table.Length - sizeof(uint))
            reason = $"its trie should have {size} bytes, but only {table.Length - sizeof(uint)} are present";
        else
        {
            var units = new uint[size / sizeof(uint)];
            for (var i = 0; i < units.Length; i++)
                units[i] = BinaryPrimitives.ReadUInt32LittleEndian(table[(sizeof(uint) * (i + 1))..]);
            return new PrecompiledNormalizer(units, table[(sizeof(uint) + (int)size)..].ToArray());
        }
        return null;
    }

    public override string Normalize(string original) => Normalize(original.AsSpan());

    public override string Normalize(ReadOnlySpan<char> original)
    {
        var result = new StringBuilder(original.Length);
        for (var text = original; text.Length > 0;)
        {
            var cluster = text[..StringInfo.GetNextTextElementLength(text)];
            text = text[cluster.Length..];
            TextGrowth.Check("the normalizer Precompiled", original.Length, result.Length);
            if (Encoding.UTF8.GetByteCount(cluster) <= MaxClusterLength && TryReplace(cluster, result))
                continue;
            foreach (var character in cluster.EnumerateRunes())
            {
                if (!TryReplace(character.ToString(), result))
                    result.Append(character);
            }
        }
        return result.ToString();
    }

    /// <summary>
    /// Appends the replacement of the shortest start of the text that has one, as Hugging Face's library does, and with it drops the rest.
    /// </summary>
    private bool TryReplace(ReadOnlySpan<char> text, StringBuilder result)
    {
        Span<byte> utf8 = stackalloc byte[MaxClusterLength];
        Encoding.UTF8.TryGetBytes(text, utf8, out var length);
        var node = OffsetOf(trie[0]);
        foreach (var value in utf8[..length])
        {
            node ^= value;
            // The double array of Darts: a unit has bits 0 to 7 and 31 for its label, 8 for "ends here", 9 to 30 for the next node.
            if (value == 0 || node >= trie.Length || (trie[node] & 0x8000_00FF) != value)
                return false;
            var unit = trie[node];
            node ^= OffsetOf(unit);
            if ((unit & 0x100) == 0)
                continue;
            var start = node < trie.Length ? (int)(trie[node] & int.MaxValue) : int.MaxValue;
            if (start >= replacements.Length)
                return false;
            var rest = replacements.AsSpan(start);
            result.Append(Encoding.UTF8.GetString(rest.IndexOf((byte)0) is >= 0 and var end ? rest[..end] : rest));
            return true;
        }
        return false;
    }

    private static uint OffsetOf(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
