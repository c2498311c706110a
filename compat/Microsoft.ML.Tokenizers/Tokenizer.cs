using System.Buffers;

namespace Microsoft.ML.Tokenizers;

/// <summary>Turns text into token ids and back. A subclass says how; this class offers it for strings and spans.</summary>
public abstract class Tokenizer
{
    /// <summary>What rewrites the text first; null for none.</summary>
    public virtual Normalizer Normalizer => null;

    /// <summary>What cuts the text into words; null for none.</summary>
    public virtual PreTokenizer PreTokenizer => null;

    /// <summary>Encodes <paramref name="text"/>, or <paramref name="textSpan"/> where <paramref name="text"/> is null.</summary>
    protected abstract EncodeResults<EncodedToken> EncodeToTokens(string text, ReadOnlySpan<char> textSpan, EncodeSettings settings);

    /// <inheritdoc cref="EncodeToTokens(string, ReadOnlySpan{char}, EncodeSettings)"/>
    protected virtual EncodeResults<int> EncodeToIds(string text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var encoded = EncodeToTokens(text, textSpan, settings);
        return new EncodeResults<int>
        {
            Tokens = encoded.Tokens.Select(token => token.Id).ToArray(),
            NormalizedText = encoded.NormalizedText,
            CharsConsumed = encoded.CharsConsumed,
        };
    }

    /// <inheritdoc cref="EncodeToTokens(string, ReadOnlySpan{char}, EncodeSettings)"/>
    protected virtual int CountTokens(string text, ReadOnlySpan<char> textSpan, EncodeSettings settings) =>
        EncodeToIds(text, textSpan, settings).Tokens.Count;

    /// <summary>
    /// Where the text must be cut to keep at most <see cref="EncodeSettings.MaxTokenCount"/> tokens: the index after the last character
    /// kept or, with <paramref name="fromEnd"/>, the index of the first one.
    /// </summary>
    protected virtual int GetIndexByTokenCount(
        string text, ReadOnlySpan<char> textSpan, EncodeSettings settings, bool fromEnd, out string normalizedText, out int tokenCount)
    {
        var maxTokenCount = settings.MaxTokenCount;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokenCount);
        settings.MaxTokenCount = int.MaxValue;
        var encoded = EncodeToTokens(text, textSpan, settings);
        normalizedText = encoded.NormalizedText;
        tokenCount = Math.Min(maxTokenCount, encoded.Tokens.Count);
        var length = normalizedText?.Length ?? text?.Length ?? textSpan.Length;
        if (fromEnd)
            return tokenCount == encoded.Tokens.Count ? 0 : encoded.Tokens[^tokenCount].Offset.Start.Value;
        return tokenCount == encoded.Tokens.Count ? length : encoded.Tokens[tokenCount - 1].Offset.End.Value;
    }

    /// <summary>The text of the ids, as far as it fits into <paramref name="destination"/>.</summary>
    public abstract OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten);

    /// <summary>The text of the ids; null when one of them is not in the vocabulary.</summary>
    public virtual string Decode(IEnumerable<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var idList = ids as IReadOnlyCollection<int> ?? ids.ToArray();
        for (var buffer = new char[Math.Max(64, idList.Count * 8)]; ; buffer = new char[buffer.Length * 2])
            switch (Decode(idList, buffer, out _, out var charsWritten))
            {
                case OperationStatus.Done:
                    return new string(buffer, 0, charsWritten);
                case OperationStatus.InvalidData:
                    return null;
            }
    }

    public IReadOnlyList<int> EncodeToIds(string text, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        return EncodeToIds(text, default, Settings(considerPreTokenization, considerNormalization)).Tokens;
    }

    public IReadOnlyList<int> EncodeToIds(
        ReadOnlySpan<char> text, bool considerPreTokenization = true, bool considerNormalization = true) =>
        EncodeToIds(null, text, Settings(considerPreTokenization, considerNormalization)).Tokens;

    public IReadOnlyList<int> EncodeToIds(
        string text, int maxTokenCount, out string normalizedText, out int charsConsumed, bool considerPreTokenization = true,
        bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        return EncodeToIds(
            text, default, maxTokenCount, considerPreTokenization, considerNormalization, out normalizedText, out charsConsumed);
    }

    public IReadOnlyList<int> EncodeToIds(
        ReadOnlySpan<char> text, int maxTokenCount, out string normalizedText, out int charsConsumed, bool considerPreTokenization = true,
        bool considerNormalization = true) =>
        EncodeToIds(null, text, maxTokenCount, considerPreTokenization, considerNormalization, out normalizedText, out charsConsumed);

    public IReadOnlyList<EncodedToken> EncodeToTokens(
        string text, out string normalizedText, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var encoded = EncodeToTokens(text, default, Settings(considerPreTokenization, considerNormalization));
        normalizedText = encoded.NormalizedText;
        return encoded.Tokens;
    }

    public IReadOnlyList<EncodedToken> EncodeToTokens(
        ReadOnlySpan<char> text, out string normalizedText, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        var encoded = EncodeToTokens(null, text, Settings(considerPreTokenization, considerNormalization));
        normalizedText = encoded.NormalizedText;
        return encoded.Tokens;
    }

    public int CountTokens(string text, bool considerPreTokenization = true, bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        return CountTokens(text, default, Settings(considerPreTokenization, considerNormalization));
    }

    public int CountTokens(ReadOnlySpan<char> text, bool considerPreTokenization = true, bool considerNormalization = true) =>
        CountTokens(null, text, Settings(considerPreTokenization, considerNormalization));

    public int GetIndexByTokenCount(
        string text, int maxTokenCount, out string normalizedText, out int tokenCount, bool considerPreTokenization = true,
        bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var settings = Settings(considerPreTokenization, considerNormalization, maxTokenCount);
        return GetIndexByTokenCount(text, default, settings, fromEnd: false, out normalizedText, out tokenCount);
    }

    public int GetIndexByTokenCount(
        ReadOnlySpan<char> text, int maxTokenCount, out string normalizedText, out int tokenCount, bool considerPreTokenization = true,
        bool considerNormalization = true)
    {
        var settings = Settings(considerPreTokenization, considerNormalization, maxTokenCount);
        return GetIndexByTokenCount(null, text, settings, fromEnd: false, out normalizedText, out tokenCount);
    }

    public int GetIndexByTokenCountFromEnd(
        string text, int maxTokenCount, out string normalizedText, out int tokenCount, bool considerPreTokenization = true,
        bool considerNormalization = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var settings = Settings(considerPreTokenization, considerNormalization, maxTokenCount);
        return GetIndexByTokenCount(text, default, settings, fromEnd: true, out normalizedText, out tokenCount);
    }

    public int GetIndexByTokenCountFromEnd(
        ReadOnlySpan<char> text, int maxTokenCount, out string normalizedText, out int tokenCount, bool considerPreTokenization = true,
        bool considerNormalization = true)
    {
        var settings = Settings(considerPreTokenization, considerNormalization, maxTokenCount);
        return GetIndexByTokenCount(null, text, settings, fromEnd: true, out normalizedText, out tokenCount);
    }

    private IReadOnlyList<int> EncodeToIds(
        string text, ReadOnlySpan<char> textSpan, int maxTokenCount, bool considerPreTokenization, bool considerNormalization,
        out string normalizedText, out int charsConsumed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokenCount);
        var encoded = EncodeToIds(text, textSpan, Settings(considerPreTokenization, considerNormalization, maxTokenCount));
        normalizedText = encoded.NormalizedText;
        charsConsumed = encoded.CharsConsumed;
        return encoded.Tokens;
    }

    private static EncodeSettings Settings(bool considerPreTokenization, bool considerNormalization, int maxTokenCount = int.MaxValue) =>
        new()
        {
            ConsiderPreTokenization = considerPreTokenization,
            ConsiderNormalization = considerNormalization,
            MaxTokenCount = maxTokenCount,
        };
}
