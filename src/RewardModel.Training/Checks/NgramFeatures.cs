using System.Runtime.InteropServices;

namespace RewardModel.Training.Checks;

/// <summary>The parts of texts that a linear model weighs, each as the number of a bucket.</summary>
internal static class NgramFeatures
{
    public const int BucketCount = 1 << 18;

    private const uint hashStart = 2166136261;
    private const int mostCharacters = 3;

    /// <summary>The different buckets of a text, in ascending order.</summary>
    public static int[] Of(string text, NgramKind kind)
    {
        var found = new List<int>();
        var lower = text.ToLowerInvariant();
        if (kind == NgramKind.Characters)
            AddCharacters(lower, found);
        else
            AddUnits(HasWords(text) ? Words(lower) : Characters(text), withPairs: kind == NgramKind.WordPairs, found);
        found.Sort();
        var sorted = CollectionsMarshal.AsSpan(found);
        var count = 0;
        foreach (var bucket in sorted)
            if (count == 0 || sorted[count - 1] != bucket)
                sorted[count++] = bucket;
        return [.. sorted[..count]];
    }

    private static bool HasWords(string text) => text.Count(char.IsWhiteSpace) * 12 > text.Length;

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> Characters(string text) => text.EnumerateRunes().Select(rune => rune.ToString());

    private static void AddUnits(IEnumerable<string> units, bool withPairs, List<int> found)
    {
        string? last = null;
        foreach (var unit in units)
        {
            found.Add(Bucket(Hash(hashStart, unit)));
            if (withPairs && last is not null)
                found.Add(Bucket(Hash(Hash(Hash(hashStart, last), " "), unit)));
            last = unit;
        }
    }

    private static void AddCharacters(string text, List<int> found)
    {
        var plain = NormalizedText.Of(text);
        for (var start = 0; start < plain.Length; start++)
        {
            var hash = hashStart;
            for (var end = start; end < Math.Min(start + mostCharacters, plain.Length); end++)
            {
                hash = Hash(hash, plain[end]);
                found.Add(Bucket(hash));
            }
        }
    }

    // FNV-1a: string.GetHashCode differs from process to process.
    private static uint Hash(uint hash, string text)
    {
        foreach (var character in text)
            hash = Hash(hash, character);
        return hash;
    }

    private static uint Hash(uint hash, char character) => (hash ^ character) * 16777619;

    private static int Bucket(uint hash) => (int)(hash % BucketCount);
}
