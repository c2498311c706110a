using System.Text;
using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.PreTokenizers;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>
/// Byte-pair encoding of a text that has no added tokens. <see cref="BpeTokenizer"/> does the merging; what it doesn't have, byte
/// fallback and words that are taken from the vocabulary without merging, is done here, around it.
/// </summary>
internal sealed class BpeModel
{
    private const int NoId = -1;

    private readonly BpeTokenizer merger;
    private readonly PreTokenizer? preTokenizer;
    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> vocabularyBySpan;
    private readonly IReadOnlyDictionary<int, string> tokensById;
    private readonly bool isByteLevel;
    private readonly bool takesWholeWords;
    private readonly int[]? byteIds;

    /// <param name="definition">The model, without problems.</param>
    /// <param name="preTokenization">What comes before it.</param>
    /// <param name="tokensById">How the vocabulary spells each id.</param>
    public BpeModel(BpeDefinition definition, PreTokenization preTokenization, IReadOnlyDictionary<int, string> tokensById)
    {
        this.tokensById = tokensById;
        vocabulary = definition.Vocabulary;
        vocabularyBySpan = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        preTokenizer = preTokenization.Splitter;
        isByteLevel = preTokenization.IsByteLevel;
        takesWholeWords = definition.IgnoresMergesOfKnownWords;
        if (definition.HasByteFallback)
            byteIds = [.. ByteTokens.All.Select(token => vocabulary[token])];
        merger = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = definition.Merges,
            PreTokenizer = preTokenizer,
            ByteLevel = isByteLevel,
            UnknownToken = definition.UnknownToken,
            FuseUnknownTokens = definition.FusesUnknown,
        });
    }

    public PreTokenizer? PreTokenizer => preTokenizer;

    /// <summary>The ids of a text that is not empty.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cut">Whether it is cut into words first.</param>
    /// <param name="result">Where the ids are added.</param>
    public void AddIds(string text, bool cut, List<int> result)
    {
        if (byteIds is null && !takesWholeWords)
        {
            result.AddRange(merger.EncodeToIds(text, considerPreTokenization: cut && preTokenizer is not null));
            return;
        }
        foreach (var (start, length, id) in Pieces(text, cut))
            if (id == NoId)
                result.AddRange(merger.EncodeToIds(text.AsSpan(start, length), considerPreTokenization: false));
            else
                result.Add(id);
    }

    /// <summary>The tokens of a text that is not empty.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cut">Whether it is cut into words first.</param>
    /// <param name="offset">What is added to the tokens' offsets.</param>
    /// <param name="result">Where the tokens are added.</param>
    public void AddTokens(string text, bool cut, int offset, List<EncodedToken> result)
    {
        foreach (var (start, length, id) in Pieces(text, cut))
        {
            var first = offset + start;
            if (id != NoId)
            {
                result.Add(new EncodedToken(id, tokensById[id], first..(first + length)));
                continue;
            }
            foreach (var token in merger.EncodeToTokens(text.AsSpan(start, length), out _, considerPreTokenization: false))
                result.Add(new EncodedToken(
                    token.Id, token.Value, (first + token.Offset.Start.Value)..(first + token.Offset.End.Value)));
        }
    }

    /// <summary>The parts of a text, each with its id, or, to be merged, without one.</summary>
    private IEnumerable<(int Start, int Length, int Id)> Pieces(string text, bool cut)
    {
        var words = cut && preTokenizer is not null ? preTokenizer.PreTokenize(text) : [(0, text.Length)];
        foreach (var (start, length) in words)
            if (takesWholeWords && TryGetId(text.AsSpan(start, length), out var id))
                yield return (start, length, id);
            else if (byteIds is null)
                yield return (start, length, NoId);
            else
                foreach (var piece in PiecesWithBytes(text, start, start + length))
                    yield return piece;
    }

    /// <summary>Characters that the vocabulary lacks become their bytes. No merge has byte tokens, so merging stops there anyway.</summary>
    private IEnumerable<(int Start, int Length, int Id)> PiecesWithBytes(string text, int start, int end)
    {
        var pending = start;
        for (int i = start, length; i < end; i += length)
        {
            length = char.IsSurrogatePair(text, i) ? 2 : 1;
            if (vocabularyBySpan.ContainsKey(text.AsSpan(i, length)))
                continue;
            if (i > pending)
                yield return (pending, i - pending, NoId);
            foreach (var value in Encoding.UTF8.GetBytes(text, i, length))
                yield return (i, length, byteIds![value]);
            pending = i + length;
        }
        if (end > pending)
            yield return (pending, end - pending, NoId);
    }

    private bool TryGetId(ReadOnlySpan<char> word, out int id) =>
        isByteLevel ? vocabulary.TryGetValue(ByteAlphabet.Spell(word), out id) : vocabularyBySpan.TryGetValue(word, out id);
}
