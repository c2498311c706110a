using System.Buffers;
using System.Text;
using RewardModel.Tokenizers.Models;
using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Finds added tokens in a text: the leftmost first, of several that start there the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly PieceTrie trie = new();
    private readonly List<(string Content, AddedToken Token)> entries = [];
    private readonly SearchValues<string> contents;

    /// <param name="tokens">The tokens and the text by which each is found.</param>
    public AddedTokenMatcher(IEnumerable<(string Content, AddedToken Token)> tokens)
    {
        foreach (var token in tokens.Where(token => token.Content.Length > 0).DistinctBy(token => token.Content))
        {
            trie.Add(token.Content, entries.Count);
            entries.Add(token);
        }
        contents = SearchValues.Create([.. entries.Select(token => token.Content)], StringComparison.Ordinal);
    }

    /// <summary>
    /// The parts of the text in their order. White space that a token takes after it is still looked at for tokens, as Hugging Face does:
    /// the parts of these then overlap.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="isFound">
    /// Whether a token that starts at an index counts; the others are text, in which shorter tokens may be found. Null: all count.
    /// </param>
    public IEnumerable<Section> Split(string text, Func<int, string, AddedToken, bool>? isFound = null)
    {
        var done = 0;
        for (var search = 0; NextIndex(text, search) is >= 0 and var start;)
        {
            if (LongestAt(text, start, isFound) is not ({ } content, { } token))
            {
                search = start + 1;
                continue;
            }
            var end = start + content.Length;
            search = end;
            if (token.IsSingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
                continue;
            if (token.StripsLeft)
            {
                while (start > done && char.IsWhiteSpace(text[start - 1]))
                    start--;
                start = Math.Max(start, done);
                end = Math.Max(start, end);
            }
            if (token.StripsRight)
                while (end < text.Length && char.IsWhiteSpace(text[end]))
                    end++;
            if (start > done)
                yield return new Section(text[done..start], null, done);
            yield return new Section(text[start..end], token, start);
            done = end;
        }
        if (done < text.Length)
            yield return new Section(text[done..], null, done);
    }

    private int NextIndex(string text, int from)
    {
        var index = text.AsSpan(from).IndexOfAny(contents);
        return index < 0 ? -1 : from + index;
    }

    private (string? Content, AddedToken? Token) LongestAt(string text, int start, Func<int, string, AddedToken, bool>? isFound)
    {
        var found = new Stack<int>();
        var node = PieceTrie.Root;
        for (var end = start; end < text.Length && trie.TryGetChild(node, text[end], out node); end++)
            if (trie.TryGetId(node, out var index))
                found.Push(index);
        foreach (var index in found)
            if (isFound?.Invoke(start, entries[index].Content, entries[index].Token) != false)
                return entries[index];
        return default;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && CharacterData.IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && CharacterData.IsWord(rune);
}
