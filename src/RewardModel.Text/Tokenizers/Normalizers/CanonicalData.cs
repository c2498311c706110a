using System.Globalization;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Unicode's canonical decompositions, without those of Hangul syllables, and combining classes.</summary>
internal static partial class CanonicalData
{
    /// <summary>What a character is made of; the second part is 0 where there is only one.</summary>
    public static IReadOnlyDictionary<int, (int First, int Second)> Decompositions { get; }

    /// <summary>What two characters compose to; without the decompositions that Unicode excludes from composition.</summary>
    public static IReadOnlyDictionary<(int First, int Second), int> Compositions { get; }

    /// <summary>The class of every character whose class is not 0.</summary>
    public static IReadOnlyDictionary<int, int> CombiningClasses { get; }

    static CanonicalData()
    {
        var decompositions = new Dictionary<int, (int, int)>();
        var compositions = new Dictionary<(int, int), int>();
        foreach (var entry in DecompositionTable.Split(' '))
        {
            var sign = entry.AsSpan().IndexOfAny('=', '!');
            var plus = entry.IndexOf('+');
            var character = Hex(entry[..sign]);
            var parts = plus < 0 ? (Hex(entry[(sign + 1)..]), 0) : (Hex(entry[(sign + 1)..plus]), Hex(entry[(plus + 1)..]));
            decompositions.Add(character, parts);
            if (entry[sign] == '=')
                compositions.Add(parts, character);
        }
        var classes = new Dictionary<int, int>();
        foreach (var entry in CombiningClassTable.Split(' '))
        {
            var (dash, colon) = (entry.IndexOf('-'), entry.IndexOf(':'));
            for (int character = Hex(entry[..dash]), last = Hex(entry[(dash + 1)..colon]); character <= last; character++)
                classes.Add(character, int.Parse(entry[(colon + 1)..], CultureInfo.InvariantCulture));
        }
        (Decompositions, Compositions, CombiningClasses) = (decompositions, compositions, classes);
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
