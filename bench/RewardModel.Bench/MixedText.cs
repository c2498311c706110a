using System.Text;
using RewardModel.Training.Data;

namespace RewardModel.Bench;

/// <summary>
/// Text to be tokenised, the same on every machine: lines of prose whose words are as frequent as those of a language, code, Chinese
/// and Japanese, Cyrillic, emoji, numbers and white space.
/// </summary>
internal sealed class MixedText
{
    private const int WordCount = 40_000;

    private static readonly string[] commonWords =
    [
        "the", "of", "and", "to", "a", "in", "is", "it", "that", "was", "for", "on", "are", "with", "as", "at", "be",
        "this", "have", "from", "or", "one", "had", "by", "word", "but", "not", "what", "all", "were", "we", "when",
        "your", "can", "said", "there", "use", "an", "each", "which", "she", "do", "how", "their", "if", "will", "up",
        "other", "about", "out", "many", "then", "them", "these", "so", "some", "her", "would", "make", "like", "him",
        "into", "time", "has", "look", "two", "more", "write", "go", "see", "number", "no", "way", "could", "people",
        "my", "than", "first", "water", "been", "call", "who", "oil", "its", "now", "find", "long", "down", "day",
        "did", "get", "come", "made", "may", "part", "don't", "it's", "they're", "question", "because", "answer",
        "explain", "example",
    ];

    private static readonly string[] syllables =
    [
        "ka", "lo", "mi", "ter", "ran", "sol", "ve", "ni", "per", "con", "ta", "re", "ing", "ed", "ly", "ment", "tion", "al", "ous", "un",
        "pre", "dis", "str", "ee", "oo", "ant", "ber", "ck", "de", "el", "fa", "gra", "ha", "in", "jo", "ki", "la", "mo", "ne", "or",
    ];

    private static readonly string[] codeLines =
    [
        "    for (var {0} = 0; {0} < {1}.Length; {0}++)", "        {0}.{1}({2}, \"{3}\"); // {3}", "    if ({0} is null) return {1};",
        "def {0}(self, {1}, {2}=None):", "        return [{0} for {0} in {1} if {0}.{2} > {4}]", "import {0}.{1} as {2}",
        "const {0} = await {1}({{ {2}: \"{3}\", {0}: {4} }});", "}}", "\t\tSELECT {0}, COUNT(*) FROM {1} WHERE {2} = {4} GROUP BY {0};",
    ];

    private readonly SplitMix64 random = new(2);
    private readonly string[] words;

    private MixedText()
    {
        words = new string[WordCount];
        for (var i = 0; i < WordCount; i++)
            words[i] = i < commonWords.Length
                ? commonWords[i]
                : string.Concat(Enumerable.Range(0, 2 + random.NextBelow(3)).Select(_ => Syllable()));
    }

    /// <summary>Text of a length, in bytes of UTF-8, that is at least <paramref name="bytes"/> and not a line more.</summary>
    public static string OfBytes(int bytes)
    {
        var source = new MixedText();
        var result = new StringBuilder();
        for (var length = 0; length < bytes;)
        {
            var line = source.Line();
            result.Append(line).Append('\n');
            length += Encoding.UTF8.GetByteCount(line) + 1;
        }
        return result.ToString();
    }

    /// <summary>The words of its prose, the frequent ones first.</summary>
    public static IReadOnlyList<string> Words() => new MixedText().words;

    /// <summary>The rank of a word, k with a probability of about 1 / (k + 1), as words of a language have.</summary>
    /// <param name="share">From 0 to below 1, each number as likely.</param>
    /// <param name="bound">Number of words.</param>
    public static int RankAt(double share, int bound) => (int)Math.Pow(bound + 1.0, share) - 1;

    private string Line() => random.NextBelow(20) switch
    {
        < 11 => Prose(),
        < 15 => Code(),
        15 => Ideographs(),
        16 => Letters(0x430, 32, " "),
        17 => Numbers(),
        18 => $"{Prose()} {Emoji()}{Emoji()} {Word()} {Emoji()}",
        _ => $"{new string(' ', random.NextBelow(24))}{Prose()}{new string('\t', random.NextBelow(4))}",
    };

    private string Prose()
    {
        var line = new StringBuilder();
        for (var sentence = 0; sentence < 1 + random.NextBelow(6); sentence++)
        {
            var count = 4 + random.NextBelow(18);
            for (var i = 0; i < count; i++)
            {
                var word = Word();
                line.Append(i == 0 ? char.ToUpperInvariant(word[0]) + word[1..] : word);
                line.Append(i == count - 1 ? ". " : random.NextBelow(12) == 0 ? ", " : " ");
            }
        }
        return line.ToString();
    }

    private string Code() => string.Format(
        null, codeLines[random.NextBelow(codeLines.Length)], Name(), Name(), Name(), Word(), random.NextBelow(10_000));

    private string Name() => random.NextBelow(3) switch
    {
        0 => Word(),
        1 => $"{Word()}_{Word()}",
        _ => $"{Word()}{Syllable().ToUpperInvariant()[..1]}{Syllable()}",
    };

    private string Ideographs()
    {
        var line = new StringBuilder();
        for (var i = 20 + random.NextBelow(80); i > 0; i--)
            line.Append(random.NextBelow(10) switch
            {
                0 => "，",
                1 => "。",
                < 5 => ((char)(0x3042 + random.NextBelow(80))).ToString(),
                _ => ((char)(0x4E00 + Rank(6000) * 3)).ToString(),
            });
        return line.ToString();
    }

    private string Letters(int first, int count, string separator) => string.Join(
        separator,
        Enumerable.Range(0, 8 + random.NextBelow(16)).Select(
            _ => string.Concat(Enumerable.Range(0, 2 + random.NextBelow(7)).Select(_ => (char)(first + random.NextBelow(count))))));

    private string Numbers() => string.Join(
        "; ",
        Enumerable.Range(0, 4 + random.NextBelow(8)).Select(
            _ => $"{random.NextBelow(3000)}.{random.NextBelow(100):D2} = {random.NextBelow(1_000_000)}"));

    private string Emoji() => char.ConvertFromUtf32(0x1F600 + random.NextBelow(64));

    private string Word() => words[Rank(WordCount)];

    private string Syllable() => syllables[random.NextBelow(syllables.Length)];

    private int Rank(int bound) => RankAt(random.NextBelow(1 << 30) / (double)(1 << 30), bound);
}
