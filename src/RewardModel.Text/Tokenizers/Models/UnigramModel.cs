using System.Text;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>
/// The pieces of a word whose scores have the highest sum (Kudo 2018, arXiv 1804.10959). Microsoft.ML.Tokenizers reads such a vocabulary
/// from SentencePiece's own files only, and follows SentencePiece where Hugging Face does not.
/// </summary>
internal sealed class UnigramModel : WordModel
{
    /// <summary>How much less than the lowest score an unknown character has.</summary>
    private const double UnknownPenalty = 10;

    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids;
    private readonly PieceTrie trie = new();
    private readonly IReadOnlyList<double> scores;
    private readonly int? unknownId;
    private readonly double unknownScore;
    private readonly int?[]? byteIds;

    public UnigramModel(UnigramDefinition definition, IReadOnlySet<string> hidden)
    {
        var visible = definition.Vocabulary.Where(entry => !hidden.Contains(entry.Key)).ToDictionary(StringComparer.Ordinal);
        ids = visible.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var (piece, id) in visible)
            trie.Add(piece, id);
        scores = definition.Scores;
        unknownId = definition.UnknownId;
        unknownScore = scores.Min() - UnknownPenalty;
        if (definition.FallsBackToBytes)
            byteIds = [.. ByteTokens.All.Select(token => definition.Vocabulary.TryGetValue(token, out var id) ? id : (int?)null)];
    }

    /// <exception cref="TokenizerException">A character has no piece, and there is none for unknown ones.</exception>
    public override void AddTokens(ReadOnlySpan<char> word, List<WordToken> tokens)
    {
        foreach (var (start, end) in BestPieces(word))
            AddPiece(word, start, end, tokens);
    }

    private void AddPiece(ReadOnlySpan<char> word, int start, int end, List<WordToken> tokens)
    {
        var piece = word[start..end];
        if (ids.TryGetValue(piece, out var id))
            tokens.Add(new WordToken(id, start, end));
        else if (byteIds is null || !TryAddBytes(piece, start, end, tokens))
            tokens.Add(new WordToken(unknownId ?? throw Unknown(piece), start, end));
    }

    private bool TryAddBytes(ReadOnlySpan<char> piece, int start, int end, List<WordToken> tokens)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(piece)];
        Encoding.UTF8.GetBytes(piece, bytes);
        if (bytes.Any(value => byteIds![value] is null))
            return false;
        foreach (var value in bytes)
            tokens.Add(new WordToken(byteIds![value]!.Value, start, end));
        return true;
    }

    /// <summary>The best path's pieces in the order of the word; neighbouring unknown ones are one.</summary>
    private List<(int Start, int End)> BestPieces(ReadOnlySpan<char> word)
    {
        // The best way to reach each place: its score, where its last piece starts (-1: not reached yet), and the piece's id.
        var best = new (double Score, int Start, int Id)[word.Length + 1];
        for (var i = 1; i < best.Length; i++)
            best[i].Start = -1;
        for (int start = 0, length; start < word.Length; start += length)
        {
            length = char.IsHighSurrogate(word[start]) && start + 1 < word.Length ? 2 : 1;
            var scoreHere = best[start].Score;
            var isKnown = false;
            var node = PieceTrie.Root;
            for (var end = start; end < word.Length && trie.TryGetChild(node, word[end], out node);)
            {
                end++;
                if (!trie.TryGetId(node, out var id))
                    continue;
                Improve(ref best[end], scoreHere + scores[id], start, id);
                isKnown |= end - start == length;
            }
            if (!isKnown)
                Improve(ref best[start + length], scoreHere + unknownScore, start, unknownId ?? throw Unknown(word.Slice(start, length)));
        }

        var pieces = new List<(int Start, int End)>();
        var isAfterUnknown = false;
        for (var end = word.Length; end > 0; end = best[end].Start)
        {
            var isUnknown = best[end].Id == unknownId;
            if (isUnknown && isAfterUnknown)
                pieces[^1] = (best[end].Start, pieces[^1].End);
            else
                pieces.Add((best[end].Start, end));
            isAfterUnknown = isUnknown;
        }
        pieces.Reverse();
        return pieces;
    }

    private static void Improve(ref (double Score, int Start, int Id) place, double score, int start, int id)
    {
        if (place.Start < 0 || score > place.Score)
            place = (score, start, id);
    }

    private static TokenizerException Unknown(ReadOnlySpan<char> characters) => new(
        "tokenizer.json",
        [$"model: nothing in 'vocab' stands for '{Excerpt.Of(characters.ToString())}', and there is no 'unk_id'; add one"]);
}
