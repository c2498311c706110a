using System.Buffers;
using System.Text;

namespace RewardModel.Tokenizers.Models;

/// <summary>
/// Takes the longest token that starts a word, then the longest that goes on with it, and so on. Microsoft.ML.Tokenizers' WordPiece
/// takes its vocabulary from the lines of a file only, and counts a word's UTF-16 units where Hugging Face counts characters.
/// </summary>
internal sealed class WordPieceModel : WordModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> first;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> continuing;
    private readonly int unknownId;
    private readonly int maxWordLength;
    private readonly int maxTokenLength;

    public WordPieceModel(WordPieceDefinition definition, IReadOnlySet<string> hidden)
    {
        var visible = definition.Vocabulary.Where(entry => !hidden.Contains(entry.Key)).ToArray();
        var prefix = definition.ContinuingPrefix;
        first = visible.ToDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        continuing = visible.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value, StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        unknownId = definition.Vocabulary[definition.UnknownToken];
        maxWordLength = definition.MaxWordLength;
        maxTokenLength = definition.Vocabulary.Keys.Max(token => token.Length);
    }

    public override void AddTokens(ReadOnlySpan<char> word, List<WordToken> tokens)
    {
        var count = tokens.Count;
        if (CharacterCount(word) <= maxWordLength && TryAddPieces(word, tokens))
            return;
        tokens.RemoveRange(count, tokens.Count - count);
        tokens.Add(new WordToken(unknownId, 0, word.Length));
    }

    private bool TryAddPieces(ReadOnlySpan<char> word, List<WordToken> tokens)
    {
        for (int start = 0, end; start < word.Length; start = end)
        {
            var lookup = start == 0 ? first : continuing;
            var id = 0;
            for (end = Math.Min(word.Length, start + maxTokenLength); end > start && !lookup.TryGetValue(word[start..end], out id);)
                end--;
            if (end == start)
                return false;
            tokens.Add(new WordToken(id, start, end));
        }
        return true;
    }

    private static int CharacterCount(ReadOnlySpan<char> word)
    {
        var count = 0;
        for (; Rune.DecodeFromUtf16(word, out _, out var length) == OperationStatus.Done; word = word[length..])
            count++;
        return count;
    }
}
