using System.Buffers;
using System.Text;

namespace Microsoft.ML.Tokenizers;

/// <summary>Byte-pair encoding, over characters or over the bytes of UTF-8. Safe for many threads.</summary>
public sealed class BpeTokenizer : Tokenizer
{
    private const int NoId = -1;

    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> vocabularyBySpan;
    private readonly Dictionary<int, string> tokensById;
    private readonly int[] byteIds;
    private readonly int unknownId;
    private readonly bool fuseUnknownTokens;
    private readonly bool byteLevel;
    private readonly PairMerger merger;
    private readonly string continuingPrefix;
    private readonly string endSuffix;

    private BpeTokenizer(BpeOptions options)
    {
        vocabulary = new Dictionary<string, int>(options.Vocabulary, StringComparer.Ordinal);
        vocabularyBySpan = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        tokensById = new Dictionary<int, string>(vocabulary.Count);
        foreach (var (token, id) in vocabulary)
            tokensById[id] = token;

        PreTokenizer = new WordPreTokenizer();
        fuseUnknownTokens = options.FuseUnknownTokens;
        byteLevel = options.ByteLevel;
        continuingPrefix = options.ContinuingSubwordPrefix ?? "";
        endSuffix = options.EndOfWordSuffix ?? "";
        unknownId = options.UnknownToken is null ? NoId : IdOf(options.UnknownToken);
        if (byteLevel)
            byteIds = [.. Enumerable.Range(0, 256).Select(value => IdOrNone([ByteAlphabet.CharOf((byte)value)]))];
        merger = new PairMerger(ReadMerges(options.Merges ?? []));
    }

    public override PreTokenizer PreTokenizer { get; }

    /// <exception cref="InvalidOperationException">A merge or the unknown token is not in the vocabulary.</exception>
    public static BpeTokenizer Create(BpeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new BpeTokenizer(options);
    }

    protected override EncodeResults<EncodedToken> EncodeToTokens(string text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var source = text ?? textSpan.ToString();
        var tokens = new List<EncodedToken>();
        var charsConsumed = source.Length;
        foreach (var (offset, length) in Words(source, settings))
        {
            AddTokens(source.AsSpan(offset, length), offset, tokens);
            if (tokens.Count <= settings.MaxTokenCount)
                continue;
            tokens.RemoveRange(settings.MaxTokenCount, tokens.Count - settings.MaxTokenCount);
            charsConsumed = tokens[^1].Offset.End.Value;
            break;
        }
        return new EncodeResults<EncodedToken> { Tokens = tokens, CharsConsumed = charsConsumed };
    }

    protected override EncodeResults<int> EncodeToIds(string text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        // Only tokens know where they end in the text, which a limit has to report.
        if (settings.MaxTokenCount != int.MaxValue)
            return base.EncodeToIds(text, textSpan, settings);

        var source = text ?? textSpan.ToString();
        var ids = new List<int>();
        foreach (var (offset, length) in Words(source, settings))
            foreach (var symbol in SymbolsOf(source.AsSpan(offset, length)))
                ids.Add(symbol.Id);
        return new EncodeResults<int> { Tokens = ids, CharsConsumed = source.Length };
    }

    /// <summary>The text of the ids; ids that are not in the vocabulary are left out.</summary>
    public override string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var tokens = string.Concat(ids.Select(id => tokensById.GetValueOrDefault(id)));
        return byteLevel ? DecodeBytes(tokens) : tokens;
    }

    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        ArgumentNullException.ThrowIfNull(ids);
        (idsConsumed, charsWritten) = (0, 0);
        var idList = ids.ToArray();
        if (!idList.All(tokensById.ContainsKey))
            return OperationStatus.InvalidData;
        var text = Decode(idList);
        if (!text.TryCopyTo(destination))
            return OperationStatus.DestinationTooSmall;
        (idsConsumed, charsWritten) = (idList.Length, text.Length);
        return OperationStatus.Done;
    }

    private static string DecodeBytes(string tokens)
    {
        var bytes = new byte[tokens.Length];
        var count = 0;
        foreach (var character in tokens)
            if (ByteAlphabet.TryGetByte(character, out var value))
                bytes[count++] = value;
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    private IEnumerable<(int Offset, int Length)> Words(string source, EncodeSettings settings)
    {
        if (source.Length == 0)
            return [];
        return settings.ConsiderPreTokenization ? PreTokenizer.PreTokenize(source) : [(0, source.Length)];
    }

    private void AddTokens(ReadOnlySpan<char> word, int offset, List<EncodedToken> tokens)
    {
        var charOfByte = byteLevel ? CharOfByte(word) : null;
        foreach (var (id, start, end) in SymbolsOf(word))
        {
            var first = byteLevel ? charOfByte[start] : start;
            var last = byteLevel ? charOfByte[end - 1] + CharCount(word[charOfByte[end - 1]..]) : end;
            tokens.Add(new EncodedToken(id, tokensById[id], (offset + first)..(offset + last)));
        }
    }

    private ReadOnlySpan<Symbol> SymbolsOf(ReadOnlySpan<char> word)
    {
        var symbols = byteLevel ? SymbolsOfBytes(word) : SymbolsOfCharacters(word);
        return symbols[..merger.Merge(symbols)];
    }

    private Span<Symbol> SymbolsOfBytes(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        var symbols = new Symbol[bytes.Length];
        var count = 0;
        for (var i = 0; i < bytes.Length; i++)
            AddSymbol(symbols, ref count, byteIds[bytes[i]], i, i + 1);
        return symbols.AsSpan(0, count);
    }

    private Span<Symbol> SymbolsOfCharacters(ReadOnlySpan<char> word)
    {
        var symbols = new Symbol[word.Length];
        var count = 0;
        for (int start = 0, length; start < word.Length; start += length)
        {
            length = CharCount(word[start..]);
            AddSymbol(symbols, ref count, IdOfCharacter(word, start, start + length), start, start + length);
        }
        return symbols.AsSpan(0, count);
    }

    private int IdOfCharacter(ReadOnlySpan<char> word, int start, int end)
    {
        var prefix = start > 0 ? continuingPrefix : "";
        var suffix = end == word.Length ? endSuffix : "";
        var character = word[start..end];
        return IdOrNone(prefix.Length + suffix.Length == 0 ? character : $"{prefix}{character}{suffix}");
    }

    private void AddSymbol(Symbol[] symbols, ref int count, int id, int start, int end)
    {
        if (id != NoId)
            symbols[count++] = new Symbol(id, start, end);
        else if (fuseUnknownTokens && count > 0 && symbols[count - 1] is var last && last.Id == unknownId && last.End == start)
            symbols[count - 1].End = end;
        else if (unknownId != NoId)
            symbols[count++] = new Symbol(unknownId, start, end);
    }

    /// <summary>For each byte of the word's UTF-8 the index of the character it belongs to.</summary>
    private static int[] CharOfByte(ReadOnlySpan<char> word)
    {
        var result = new List<int>(word.Length);
        for (int start = 0, length; start < word.Length; start += length)
        {
            Rune.DecodeFromUtf16(word[start..], out var rune, out length);
            for (var i = 0; i < rune.Utf8SequenceLength; i++)
                result.Add(start);
        }
        return [.. result];
    }

    private static int CharCount(ReadOnlySpan<char> text) => text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;

    private Dictionary<(int Left, int Right), (int Rank, int Id)> ReadMerges(IEnumerable<string> lines)
    {
        var merges = new Dictionary<(int, int), (int, int)>();
        foreach (var line in lines)
        {
            var space = line.IndexOf(' ');
            if (space <= 0 || space == line.Length - 1)
                throw new InvalidOperationException($"the merge '{line}' is not two tokens with a space between");
            var (left, right) = (line[..space], line[(space + 1)..]);
            merges.TryAdd((IdOf(left), IdOf(right)), (merges.Count, IdOf(left + right[Math.Min(continuingPrefix.Length, right.Length)..])));
        }
        return merges;
    }

    private int IdOrNone(ReadOnlySpan<char> token) => vocabularyBySpan.TryGetValue(token, out var id) ? id : NoId;

    private int IdOf(string token) =>
        vocabulary.TryGetValue(token, out var id) ? id : throw new InvalidOperationException($"the vocabulary has no token '{token}'");
}
