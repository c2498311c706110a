using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Rewrites a text character by character.</summary>
internal abstract class CharacterNormalizer : Normalizer
{
    public override string Normalize(string original)
    {
        if (!original.AsSpan().ContainsAny(MayChange))
            return original;
        var result = new StringBuilder(original.Length);
        foreach (var character in original.EnumerateRunes())
            Append(character, result);
        return result.ToString();
    }

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());

    /// <summary>The UTF-16 units without which a text stays as it is.</summary>
    protected abstract SearchValues<char> MayChange { get; }

    /// <summary>Appends what takes the character's place.</summary>
    protected abstract void Append(Rune character, StringBuilder result);

    /// <summary>The first units of the characters that fulfil a condition.</summary>
    protected static SearchValues<char> UnitsOf(Func<Rune, bool> condition)
    {
        var units = new HashSet<char>();
        for (var code = 0; code < 0x110000; code++)
            if (Rune.TryCreate(code, out var character) && condition(character))
                units.Add(char.ConvertFromUtf32(code)[0]);
        return SearchValues.Create([.. units]);
    }
}
