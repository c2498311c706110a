using System.Runtime.InteropServices;
using System.Text;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>
/// Byte-pair encoding of words (Sennrich et al. 2016, arXiv 1508.07909). Ours, because Microsoft.ML.Tokenizers' takes time in the square of
/// a word's length (a minute and a half for a megabyte of one letter; a third more on common text), and has no byte fallback.
/// </summary>
internal sealed class BpeModel : WordModel
{
    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> vocabularyBySpan;
    private readonly IReadOnlySet<string> hidden;
    private readonly PairMerger merger;
    private readonly bool readsBytes;
    private readonly bool takesWholeWords;
    private readonly bool fusesUnknown;
    private readonly int? unknownId;
    private readonly int[]? byteIds;
    private readonly string prefix;
    private readonly string suffix;

    /// <param name="definition">The model, without problems.</param>
    /// <param name="readsBytes">Whether the words have to be spelt in the byte alphabet.</param>
    /// <param name="hidden">Words that are not taken without merging.</param>
    public BpeModel(BpeDefinition definition, bool readsBytes, IReadOnlySet<string> hidden)
    {
        vocabulary = definition.Vocabulary;
        vocabularyBySpan = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        this.hidden = hidden;
        this.readsBytes = readsBytes;
        takesWholeWords = definition.IgnoresMergesOfKnownWords;
        fusesUnknown = definition.FusesUnknown;
        unknownId = definition.UnknownToken is { } token ? vocabulary[token] : null;
        if (definition.HasByteFallback)
            byteIds = [.. ByteTokens.All.Select(token => vocabulary[token])];
        prefix = definition.ContinuingPrefix ?? "";
        suffix = definition.EndSuffix ?? "";
        merger = new PairMerger(Merges(definition.Merges));
    }

    public override void AddTokens(ReadOnlySpan<char> word, List<WordToken> tokens)
    {
        if (takesWholeWords && TryGetId(word, out var id))
        {
            tokens.Add(new WordToken(id, 0, word.Length));
            return;
        }
        var first = tokens.Count;
        AddCharacters(word, tokens);
        CollectionsMarshal.SetCount(tokens, first + merger.Merge(CollectionsMarshal.AsSpan(tokens)[first..]));
    }

    private bool TryGetId(ReadOnlySpan<char> word, out int id)
    {
        var spelling = readsBytes ? ByteAlphabet.Spell(word) : word;
        return vocabularyBySpan.TryGetValue(spelling, out id) && (hidden.Count == 0 || !hidden.Contains(spelling.ToString()));
    }

    /// <summary>Adds the tokens that merging starts with: one for each character, or for each of its bytes.</summary>
    private void AddCharacters(ReadOnlySpan<char> word, List<WordToken> tokens)
    {
        var spelling = readsBytes ? ByteAlphabet.Spell(word) : word;
        var isAfterUnknown = false;
        for (int start = 0, length, at = 0; start < word.Length; start += length)
        {
            Rune.DecodeFromUtf16(word[start..], out var character, out length);
            var (count, step) = readsBytes ? (character.Utf8SequenceLength, 1) : (1, length);
            for (; count > 0; count--, at += step)
                AddCharacter(spelling, at, at + step, start, start + length, tokens, ref isAfterUnknown);
        }
    }

    /// <summary>Adds the token of a character of the spelling, which stands for a part of the word.</summary>
    private void AddCharacter(
        ReadOnlySpan<char> spelling, int from, int to, int start, int end, List<WordToken> tokens, ref bool isAfterUnknown)
    {
        if (TryGetCharacter(spelling, from, to, out var id))
        {
            tokens.Add(new WordToken(id, start, end));
            isAfterUnknown = false;
        }
        else if (byteIds is not null)
        {
            // No merge has byte tokens.
            Rune.DecodeFromUtf16(spelling[from..to], out var character, out _);
            Span<byte> utf8 = stackalloc byte[4];
            foreach (var value in utf8[..character.EncodeToUtf8(utf8)])
                tokens.Add(new WordToken(byteIds[value], start, end));
        }
        else if (isAfterUnknown && fusesUnknown)
        {
            tokens[^1] = tokens[^1] with { End = end };
        }
        else if (unknownId is { } unknown)
        {
            tokens.Add(new WordToken(unknown, start, end));
            isAfterUnknown = true;
        }
    }

    private bool TryGetCharacter(ReadOnlySpan<char> spelling, int from, int to, out int id)
    {
        var before = from > 0 ? prefix : "";
        var after = to == spelling.Length ? suffix : "";
        var character = spelling[from..to];
        return vocabularyBySpan.TryGetValue(before.Length + after.Length == 0 ? character : $"{before}{character}{after}", out id);
    }

    private Dictionary<(int Left, int Right), (int Rank, int Id)> Merges(IReadOnlyList<string> lines)
    {
        var merges = new Dictionary<(int, int), (int, int)>(lines.Count);
        foreach (var line in lines)
        {
            var space = line.IndexOf(' ');
            var (left, right) = (line[..space], line[(space + 1)..]);
            var merged = left + right[Math.Min(prefix.Length, right.Length)..];
            merges.TryAdd((vocabulary[left], vocabulary[right]), (merges.Count, vocabulary[merged]));
        }
        return merges;
    }
}
