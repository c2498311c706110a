using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>
/// A tokenizer.json as a <see cref="Tokenizer"/>: added tokens, normalizer, added tokens of normalised text, pre-tokenizer, model;
/// and back. Special tokens are not put around the text. Lone surrogates are read as U+FFFD. Safe for many threads.
/// </summary>
internal sealed class PipelineTokenizer : Tokenizer
{
    private readonly AddedTokenMatcher rawTokens;
    private readonly AddedTokenMatcher normalizedTokens;
    private readonly bool addsPrefixSpace;
    private readonly BpeModel model;
    private readonly TokenDecoding decoding;

    /// <param name="normalizer">What rewrites the text between added tokens; null for nothing.</param>
    /// <param name="addedTokens">The tokens to be found in the text.</param>
    /// <param name="addsPrefixSpace">Whether a section that doesn't start with a space gets one.</param>
    /// <param name="model">What encodes the rest.</param>
    /// <param name="decoding">What turns ids into text.</param>
    public PipelineTokenizer(
        Normalizer? normalizer, IReadOnlyList<AddedToken> addedTokens, bool addsPrefixSpace, BpeModel model, TokenDecoding decoding)
    {
        Normalizer = normalizer;
        rawTokens = new AddedTokenMatcher(addedTokens.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));
        normalizedTokens = new AddedTokenMatcher(
            addedTokens.Where(token => token.IsNormalized).Select(token => (Normalize(token.Content, true), token)));
        this.addsPrefixSpace = addsPrefixSpace;
        this.model = model;
        this.decoding = decoding;
    }

    public override Normalizer? Normalizer { get; }

    public override PreTokenizer? PreTokenizer => model.PreTokenizer;

    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var tokens = new List<EncodedToken>();
        var normalized = new StringBuilder();
        foreach (var (content, token) in Sections(text ?? textSpan.ToString(), settings.ConsiderNormalization))
        {
            var start = normalized.Length;
            normalized.Append(content);
            if (token is null)
                model.AddTokens(content, settings.ConsiderPreTokenization, start, tokens);
            else
                tokens.Add(new EncodedToken(token.Id, token.Content, start..normalized.Length));
        }
        var charsConsumed = normalized.Length;
        if (tokens.Count > settings.MaxTokenCount)
        {
            tokens.RemoveRange(settings.MaxTokenCount, tokens.Count - settings.MaxTokenCount);
            charsConsumed = tokens[^1].Offset.End.Value;
        }
        return new EncodeResults<EncodedToken>
        {
            Tokens = tokens,
            NormalizedText = normalized.ToString(),
            CharsConsumed = charsConsumed,
        };
    }

    protected override EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        // Only tokens know where they end in the text, which a limit has to report.
        if (settings.MaxTokenCount != int.MaxValue)
            return base.EncodeToIds(text, textSpan, settings);

        var ids = new List<int>();
        var length = 0;
        foreach (var (content, token) in Sections(text ?? textSpan.ToString(), settings.ConsiderNormalization))
        {
            length += content.Length;
            if (token is null)
                model.AddIds(content, settings.ConsiderPreTokenization, ids);
            else
                ids.Add(token.Id);
        }
        return new EncodeResults<int> { Tokens = ids, CharsConsumed = length };
    }

    /// <exception cref="TokenizerException">An id is not in the vocabulary.</exception>
    public override string Decode(IEnumerable<int> ids) => decoding.Decode(ids, skipSpecialTokens: false);

    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        (idsConsumed, charsWritten) = (0, 0);
        var idList = ids.ToArray();
        if (!idList.All(decoding.Knows))
            return OperationStatus.InvalidData;
        var text = Decode(idList);
        if (!text.TryCopyTo(destination))
            return OperationStatus.DestinationTooSmall;
        (idsConsumed, charsWritten) = (idList.Length, text.Length);
        return OperationStatus.Done;
    }

    private IEnumerable<Section> Sections(string text, bool considerNormalization)
    {
        foreach (var raw in rawTokens.Split(WellFormedText.Of(text)))
            if (raw.Token is not null)
                yield return raw;
            else
                foreach (var section in normalizedTokens.Split(Normalize(raw.Text, considerNormalization)))
                    yield return addsPrefixSpace && section.Token is null && section.Text[0] != ' '
                        ? section with { Text = " " + section.Text }
                        : section;
    }

    private string Normalize(string text, bool considerNormalization) =>
        considerNormalization && Normalizer is not null ? Normalizer.Normalize(text) : text;
}
