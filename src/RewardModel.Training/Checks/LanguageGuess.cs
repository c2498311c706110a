using System.Collections.Frozen;
using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>
/// Guesses the language of a list in Latin letters by its most frequent little words. A guess: other languages with such words are taken for
/// one of these, and a list without them for none.
/// </summary>
internal static class LanguageGuess
{
    private const int charactersToRead = 500;
    private const int fewestWords = 2;

    /// <summary>By ISO 639-1's codes. A word that two of them have doesn't count.</summary>
    private static readonly (string Language, string Words)[] littleWords =
    [
        ("de", "der die das und ist nicht ein eine ich sie wir mit auf für den dem von zu im sich auch wie oder aber bei"),
        ("en", "the and is of to that it you for with this was are have not be they what how from or which can your"),
        ("es", "el los las y una del por con para que su como más pero muy esta este hay ser son al lo cuando porque"),
        ("fr", "le les et est des une pas dans pour vous je nous ce cette qui sur plus avec sont au aux mais ou il elle"),
        ("it", "il gli che di una è non per con sono della delle nel come più ma questo questa anche dei alla degli ho"),
        ("pt", "os uma não é do da em para com você mais dos das ao pelo pela isso são como mas foi seu sua muito também"),
    ];

    private static readonly FrozenDictionary<string, int> languageOf = littleWords
        .SelectMany((language, number) => language.Words.Split(' ').Select(word => (Word: word, Number: number)))
        .GroupBy(pair => pair.Word, pair => pair.Number)
        .Where(word => word.Count() == 1)
        .ToFrozenDictionary(word => word.Key, word => word.Single(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Null where too few words tell, or two languages have equally many.</summary>
    public static string? Of(RankedList list) => Of([list.Prompt, .. list.Answers]);

    /// <summary>The language of a text, or the script of its letters where that tells more; null of a text without letters.</summary>
    public static string? NameOf(string text)
    {
        var letters = new ScriptCounts();
        foreach (var character in text)
            letters[(int)ScriptCounts.Of(character)]++;
        letters[(int)Script.None] = 0;
        return letters.Main switch
        {
            Script.None => null,
            Script.Latin => Of([text]) ?? "latin",
            var script => script.ToString().ToLowerInvariant(),
        };
    }

    private static string? Of(ReadOnlySpan<string> texts)
    {
        Span<int> counts = stackalloc int[littleWords.Length];
        foreach (var text in texts)
            Count(text, counts);
        var best = 0;
        for (var i = 1; i < counts.Length; i++)
            if (counts[i] > counts[best])
                best = i;
        return counts[best] >= fewestWords && counts.Count(counts[best]) == 1 ? littleWords[best].Language : null;
    }

    private static void Count(ReadOnlySpan<char> text, Span<int> counts)
    {
        var words = languageOf.GetAlternateLookup<ReadOnlySpan<char>>();
        var read = text[..Math.Min(text.Length, charactersToRead)];
        for (var start = 0; start < read.Length;)
        {
            var end = start;
            while (end < read.Length && char.IsLetter(read[end]))
                end++;
            if (end > start && words.TryGetValue(read[start..end], out var language))
                counts[language]++;
            start = end + 1;
        }
    }
}
