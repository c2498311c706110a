using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>
/// Unicode normalisation forms (UAX #15). <see cref="string.Normalize()"/> returns its input unchanged in applications with invariant
/// globalization, and follows the machine's ICU in others: the same text must give the same ids everywhere.
/// </summary>
internal sealed class UnicodeNormalizer : Normalizer
{
    // Hangul syllables are composed by arithmetic (The Unicode Standard, section 3.12).
    private const int SyllableBase = 0xAC00, LeadingBase = 0x1100, VowelBase = 0x1161, TrailingBase = 0x11A7;
    private const int LeadingCount = 19, VowelCount = 21, TrailingCount = 28, SyllableCount = LeadingCount * VowelCount * TrailingCount;

    private readonly bool composes;
    private readonly bool isCompatible;
    private readonly SearchValues<char> mayChange;

    private UnicodeNormalizer(bool composes, bool isCompatible)
    {
        (this.composes, this.isCompatible) = (composes, isCompatible);
        var characters = composes ? CharactersThatComposingChanges() : CharactersThatDecomposingChanges();
        if (isCompatible)
            characters = characters.Concat(CharacterData.CompatibilityDecompositions.Keys);
        mayChange = SearchValues.Create([.. characters.Select(FirstUnit)]);
    }

    /// <summary>Canonical decomposition, then composition.</summary>
    public static UnicodeNormalizer Nfc { get; } = new(composes: true, isCompatible: false);

    /// <summary>Canonical decomposition.</summary>
    public static UnicodeNormalizer Nfd { get; } = new(composes: false, isCompatible: false);

    /// <summary>Compatibility decomposition, then canonical composition.</summary>
    public static UnicodeNormalizer Nfkc { get; } = new(composes: true, isCompatible: true);

    /// <summary>Compatibility decomposition.</summary>
    public static UnicodeNormalizer Nfkd { get; } = new(composes: false, isCompatible: true);

    public override string Normalize(string original)
    {
        // Without any of these UTF-16 units a text is in its form already.
        if (!original.AsSpan().ContainsAny(mayChange))
            return original;
        var characters = new List<int>(original.Length);
        foreach (var rune in original.EnumerateRunes())
            if (isCompatible && CharacterData.CompatibilityDecompositions.TryGetValue(rune.Value, out var parts))
                characters.AddRange(parts);
            else
                Decompose(rune.Value, characters);
        SortMarks(characters);
        if (composes)
            Compose(characters);

        var result = new StringBuilder(original.Length);
        foreach (var character in characters)
            result.Append(new Rune(character));
        return result.ToString();
    }

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());

    /// <summary>What is not composed again, what is sorted, and what combines with the character before it.</summary>
    private static IEnumerable<int> CharactersThatComposingChanges() =>
        CanonicalData.Decompositions.Where(entry => !CanonicalData.Compositions.ContainsKey(entry.Value)).Select(entry => entry.Key)
            .Concat(CanonicalData.CombiningClasses.Keys)
            .Concat(CanonicalData.Compositions.Keys.Select(pair => pair.Second))
            .Concat(Enumerable.Range(VowelBase, VowelCount))
            .Concat(Enumerable.Range(TrailingBase, TrailingCount));

    private static IEnumerable<int> CharactersThatDecomposingChanges() =>
        CanonicalData.Decompositions.Keys.Concat(CanonicalData.CombiningClasses.Keys)
            .Concat(Enumerable.Range(SyllableBase, SyllableCount));

    private static char FirstUnit(int character) => char.ConvertFromUtf32(character)[0];

    private static void Decompose(int character, List<int> result)
    {
        var syllable = character - SyllableBase;
        if (syllable is >= 0 and < SyllableCount)
        {
            result.Add(LeadingBase + syllable / (VowelCount * TrailingCount));
            result.Add(VowelBase + syllable / TrailingCount % VowelCount);
            if (syllable % TrailingCount > 0)
                result.Add(TrailingBase + syllable % TrailingCount);
        }
        else if (CanonicalData.Decompositions.TryGetValue(character, out var parts))
        {
            Decompose(parts.First, result);
            if (parts.Second != 0)
                result.Add(parts.Second);
        }
        else
        {
            result.Add(character);
        }
    }

    /// <summary>Sorts each run of combining marks by combining class, keeping the order of equals.</summary>
    private static void SortMarks(List<int> characters)
    {
        for (int start = 0, end; start < characters.Count; start = end)
        {
            for (end = start; end < characters.Count && ClassOf(characters[end]) > 0; end++)
            {
            }
            if (end - start > 1)
            {
                var sorted = characters.GetRange(start, end - start).OrderBy(ClassOf).ToArray();
                for (var i = 0; i < sorted.Length; i++)
                    characters[start + i] = sorted[i];
            }
            end = Math.Max(end, start + 1);
        }
    }

    private static void Compose(List<int> characters)
    {
        var count = 0;
        var starter = -1;
        var lastClass = 0;
        for (var i = 0; i < characters.Count; i++)
        {
            var character = characters[i];
            var combiningClass = ClassOf(character);
            // UAX #15, D115: blocked by a mark of the same or a higher class, or by a starter, between.
            var isBlocked = starter < 0 || (count - 1 > starter && lastClass >= combiningClass);
            if (!isBlocked && TryCompose(characters[starter], character, out var composed))
            {
                characters[starter] = composed;
                continue;
            }
            if (combiningClass == 0)
                starter = count;
            lastClass = combiningClass;
            characters[count++] = character;
        }
        characters.RemoveRange(count, characters.Count - count);
    }

    private static bool TryCompose(int first, int second, out int composed)
    {
        var (leading, vowel) = (first - LeadingBase, second - VowelBase);
        if (leading is >= 0 and < LeadingCount && vowel is >= 0 and < VowelCount)
        {
            composed = SyllableBase + (leading * VowelCount + vowel) * TrailingCount;
            return true;
        }
        var (syllable, trailing) = (first - SyllableBase, second - TrailingBase);
        if (syllable is >= 0 and < SyllableCount && syllable % TrailingCount == 0 && trailing is > 0 and < TrailingCount)
        {
            composed = first + trailing;
            return true;
        }
        return CanonicalData.Compositions.TryGetValue((first, second), out composed);
    }

    private static int ClassOf(int character) => CanonicalData.CombiningClasses.GetValueOrDefault(character);
}
