using System.Text;
using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.Pipeline;

namespace RewardModel.Tokenization.Models;

/// <summary>
/// Byte-pair encoding of words. <see cref="BpeTokenizer"/> does the merging; what it doesn't have, byte fallback and words that are
/// taken from the vocabulary without merging, is done here, around it.
/// </summary>
internal sealed class BpeModel : WordModel
{
    private const int NoId = -1;

    private readonly BpeTokenizer merger;
    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> vocabularyBySpan;
    private readonly IReadOnlySet<string> hidden;
    private readonly bool readsBytes;
    private readonly bool takesWholeWords;
    private readonly int[]? byteIds;

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
        if (definition.HasByteFallback)
            byteIds = [.. ByteTokens.All.Select(token => vocabulary[token])];
        merger = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = definition.Merges,
            ByteLevel = readsBytes,
            UnknownToken = definition.UnknownToken,
            FuseUnknownTokens = definition.FusesUnknown,
            ContinuingSubwordPrefix = definition.ContinuingPrefix,
            EndOfWordSuffix = definition.EndSuffix,
        });
    }

    public override void AddTokens(ReadOnlySpan<char> word, List<WordToken> tokens)
    {
        foreach (var (start, length, id) in Pieces(word))
        {
            if (id != NoId)
            {
                tokens.Add(new WordToken(id, start, start + length));
                continue;
            }
            foreach (var token in merger.EncodeToTokens(word.Slice(start, length), out _, considerPreTokenization: false))
                tokens.Add(new WordToken(token.Id, start + token.Offset.Start.Value, start + token.Offset.End.Value));
        }
    }

    protected override void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        foreach (var (start, length, id) in Pieces(word))
            if (id == NoId)
                ids.AddRange(merger.EncodeToIds(word.Slice(start, length), considerPreTokenization: false));
            else
                ids.Add(id);
    }

    /// <summary>The parts of a word, each with its id, or, to be merged, without one.</summary>
    private List<(int Start, int Length, int Id)> Pieces(ReadOnlySpan<char> word)
    {
        if (takesWholeWords && TryGetId(word, out var id))
            return [(0, word.Length, id)];
        return byteIds is null ? [(0, word.Length, NoId)] : PiecesWithBytes(word, byteIds);
    }

    /// <summary>Characters that the vocabulary lacks become their bytes. No merge has byte tokens, so merging stops there anyway.</summary>
    private List<(int Start, int Length, int Id)> PiecesWithBytes(ReadOnlySpan<char> word, int[] idsOfBytes)
    {
        var pieces = new List<(int, int, int)>();
        Span<byte> utf8 = stackalloc byte[4];
        var pending = 0;
        for (int i = 0, length; i < word.Length; i += length)
        {
            Rune.DecodeFromUtf16(word[i..], out var character, out length);
            if (vocabularyBySpan.ContainsKey(word.Slice(i, length)))
                continue;
            if (i > pending)
                pieces.Add((pending, i - pending, NoId));
            foreach (var value in utf8[..character.EncodeToUtf8(utf8)])
                pieces.Add((i, length, idsOfBytes[value]));
            pending = i + length;
        }
        if (word.Length > pending)
            pieces.Add((pending, word.Length - pending, NoId));
        return pieces;
    }

    private bool TryGetId(ReadOnlySpan<char> word, out int id)
    {
        var spelling = readsBytes ? ByteAlphabet.Spell(word) : word;
        return vocabularyBySpan.TryGetValue(spelling, out id) && (hidden.Count == 0 || !hidden.Contains(spelling.ToString()));
    }
}
