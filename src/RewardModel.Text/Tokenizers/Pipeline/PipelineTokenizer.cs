using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Models;
using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>
/// A tokenizer.json as a <see cref="Tokenizer"/>: added tokens, normalizer, added tokens of normalised text, pre-tokenizer, model;
/// and back. Special tokens are not put around the text. Lone surrogates are read as U+FFFD. Safe for many threads.
/// </summary>
internal sealed class PipelineTokenizer : Tokenizer
{
    private readonly AddedTokenMatcher rawTokens;
    private readonly AddedTokenMatcher normalizedTokens;
    private readonly PreTokenization preTokenization;
    private readonly WordModel model;
    private readonly TokenDecoding decoding;

    /// <param name="normalizer">What rewrites the text between added tokens; null for nothing.</param>
    /// <param name="addedTokens">The tokens to be found in the text.</param>
    /// <param name="preTokenization">What makes words of the rest.</param>
    /// <param name="model">What encodes words.</param>
    /// <param name="decoding">What turns ids into text.</param>
    public PipelineTokenizer(
        Normalizer? normalizer, IReadOnlyList<AddedToken> addedTokens, PreTokenization preTokenization, WordModel model,
        TokenDecoding decoding)
    {
        Normalizer = normalizer;
        rawTokens = new AddedTokenMatcher(addedTokens.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));
        normalizedTokens = new AddedTokenMatcher(
            addedTokens.Where(token => token.IsNormalized).Select(token => (Normalize(token.Content, true), token)));
        this.preTokenization = preTokenization;
        this.model = model;
        this.decoding = decoding;
    }

    public override Normalizer? Normalizer { get; }

    public override PreTokenizer PreTokenizer => preTokenization;

    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var tokens = new List<EncodedToken>();
        var normalized = new StringBuilder();
        foreach (var section in Sections(text ?? textSpan.ToString(), settings.ConsiderNormalization))
        {
            var start = normalized.Length;
            normalized.Append(section.Text);
            if (section.Token is null)
                AddTokens(section, settings.ConsiderPreTokenization, start, tokens);
            else
                tokens.Add(new EncodedToken(section.Token.Id, decoding.SpellingOf(section.Token.Id), start..normalized.Length));
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
        foreach (var section in Sections(text ?? textSpan.ToString(), settings.ConsiderNormalization))
        {
            length += section.Text.Length;
            AddIds(section, settings.ConsiderPreTokenization, model, ids);
        }
        return new EncodeResults<int> { Tokens = ids, CharsConsumed = length };
    }

    /// <summary>
    /// The ids of a prompt and what follows it, as one text, and how many of them, from the first on, lie wholly in the prompt.
    /// </summary>
    public (int[] Ids, int PromptCount) EncodeToIds(string prompt, string answer)
    {
        // Each by itself, so that no half of a character of the one goes with one of the other.
        var ids = new DividedIds([]);
        foreach (var raw in rawTokens.Split(WellFormedText.Of(prompt) + WellFormedText.Of(answer)))
            AddIds(raw, isFound: null, model, prompt.Length, ids);
        return (ids.Ids, ids.PromptCount);
    }

    /// <summary>
    /// The ids of a rendered conversation: those of the whole text, but that special tokens whose names stand in users' text are text; and
    /// how many of them, from the first on, lie wholly in its prompt.
    /// </summary>
    /// <param name="text">The text and the origins of its parts.</param>
    /// <param name="plainText">The tokenizer that reads special tokens as text, whose model encodes what is users' text.</param>
    /// <param name="promptLength">How many of the text's UTF-16 units are the prompt.</param>
    /// <param name="marks">Places in the text: for each how many ids there are up to the token that has the character before it.</param>
    public (int[] Ids, int PromptCount, int[] EndCounts) EncodeToIds(
        RenderedText text, PipelineTokenizer plainText, int promptLength, EndMarks marks)
    {
        var ids = new DividedIds(marks.Ends);
        var dataHas = Finder(text, part => part);
        foreach (var raw in rawTokens.Split(
            WellFormedText.Of(text.Text),
            (at, content, token) => marks.IsToken(at, content) || IsGenuine(text, at, content, token, dataHas)))
        {
            var isTemplate = Enumerable.Range(raw.Start, raw.Text.Length).All(i => text.OriginAt(i) == TextOrigin.Template);
            AddIds(
                raw, raw.Token is null ? NormalizedFinder(text.Part(raw.Start, raw.Text.Length)) : null,
                isTemplate ? model : plainText.model, promptLength, ids);
        }
        return (ids.Ids, ids.PromptCount, ids.EndCounts);
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

    /// <summary>
    /// Whether a special token counts where its name stands: not in users' text, nor in text computed from both if the data has it.
    /// </summary>
    private static bool IsGenuine(RenderedText text, int start, string content, AddedToken token, Func<string, bool> dataHas)
    {
        if (!token.IsSpecial)
            return true;
        var origins = Enumerable.Range(start, content.Length).Select(text.OriginAt).ToArray();
        return origins.Contains(TextOrigin.Mixed) ? !dataHas(content) : origins.Contains(TextOrigin.Template);
    }

    /// <summary>Whether the data of a conversation have a text, looked for once for each text.</summary>
    private static Func<string, bool> Finder(RenderedText text, Func<string, string> normalize)
    {
        var known = new Dictionary<string, bool>(StringComparer.Ordinal);
        return content => known.TryGetValue(content, out var has) ? has : known[content] = text.DataHas(content, normalize);
    }

    /// <summary>
    /// The same for tokens that are looked for in normalised text. Where the normalizer does the same to the parts of a text as to the
    /// whole, its characters have their parts' origins; else a token counts only if the normalised data doesn't have it.
    /// </summary>
    private Func<int, string, AddedToken, bool> NormalizedFinder(RenderedText text)
    {
        var parts = text.PartsNormalizedBy(part => Normalize(part, considerNormalization: true));
        var isAligned = parts.Text == Normalize(text.Text, considerNormalization: true);
        var dataHas = Finder(parts, part => part);
        var normalizedDataHas = Finder(text, part => Normalize(part, considerNormalization: true));
        return (start, content, token) => !token.IsSpecial || (isAligned
            ? IsGenuine(parts, start, content, token, dataHas)
            : !normalizedDataHas(content));
    }

    private void AddIds(Section section, bool considerPreTokenization, WordModel encoder, List<int> ids)
    {
        if (section.Token is not null)
        {
            ids.Add(section.Token.Id);
            return;
        }
        var list = WordsOf(section, considerPreTokenization, keepsOrigins: false);
        foreach (var (start, length) in list.Words)
            encoder.AddIds(list.Text.AsSpan(start, length), ids);
    }

    /// <summary>Adds the ids of a part of a text whose prompt ends at a place.</summary>
    private void AddIds(Section raw, Func<int, string, AddedToken, bool>? isFound, WordModel encoder, int promptEnd, DividedIds ids)
    {
        var end = promptEnd - raw.Start;
        ids.BeginSection(raw.Start, raw.Text.Length, length => NormalizedEnd(raw, length));
        if (raw.Token is not null)
        {
            ids.Add(raw.Token.Id, end >= raw.Text.Length);
            return;
        }
        end = NormalizedEnd(raw, end);
        foreach (var section in NormalizedSections(raw, considerNormalization: true, isFound))
            if (section.Token is not null)
            {
                ids.EndBefore(section.Start);
                ids.Add(section.Token.Id, section.Start + section.Text.Length <= end);
            }
            else
                AddIds(section, encoder, end - section.Start, ids);
    }

    /// <summary>
    /// Where so many UTF-16 units of a text end in the normalised text: where that begins to differ from these units normalised alone.
    /// </summary>
    private int NormalizedEnd(Section raw, int length) =>
        length >= raw.Text.Length ? int.MaxValue
        : Normalizer is null || length <= 0 ? length
        : Normalize(raw.Text, considerNormalization: true).AsSpan().CommonPrefixLength(Normalize(raw.Text[..length], considerNormalization: true));

    /// <summary>Adds the ids of normalised text, of which so many UTF-16 units are the prompt.</summary>
    private void AddIds(Section section, WordModel encoder, int promptLength, DividedIds ids)
    {
        var isDivided = promptLength > 0 && promptLength < section.Text.Length;
        var list = WordsOf(section, considerPreTokenization: true, isDivided || ids.HasMarks);
        var tokens = new List<WordToken>();
        foreach (var (start, length) in list.Words)
        {
            var word = list.Text.AsSpan(start, length);
            if (!ids.HasMarks
                && (!isDivided || IsInPrompt(start, start + length) || list.OriginOf(start, start + length).Start >= promptLength))
            {
                ids.Add(word, encoder, IsInPrompt(start, start + length));
                continue;
            }
            tokens.Clear();
            encoder.AddTokens(word, tokens);
            foreach (var token in tokens)
            {
                if (ids.HasMarks)
                    ids.EndBefore(section.Start + list.OriginOf(start + token.Start, start + token.End).Start);
                ids.Add(token.Id, IsInPrompt(start + token.Start, start + token.End));
            }
        }

        // What is written in front of a word comes from the place where that starts.
        bool IsInPrompt(int start, int end)
        {
            if (!isDivided)
                return promptLength > 0;
            var origin = list.OriginOf(start, end);
            return origin.Start < promptLength && origin.End <= promptLength;
        }
    }

    private void AddTokens(Section section, bool considerPreTokenization, int offset, List<EncodedToken> tokens)
    {
        var list = WordsOf(section, considerPreTokenization, keepsOrigins: true);
        var ofWord = new List<WordToken>();
        foreach (var (start, length) in list.Words)
        {
            ofWord.Clear();
            model.AddTokens(list.Text.AsSpan(start, length), ofWord);
            foreach (var token in ofWord)
            {
                var origin = list.OriginOf(start + token.Start, start + token.End);
                tokens.Add(new EncodedToken(token.Id, decoding.SpellingOf(token.Id), (offset + origin.Start)..(offset + origin.End)));
            }
        }
    }

    private WordList WordsOf(Section section, bool considerPreTokenization, bool keepsOrigins)
    {
        var list = new WordList(section.Text, section.StartsText, keepsOrigins);
        if (considerPreTokenization)
            preTokenization.Apply(list);
        return list;
    }

    private IEnumerable<Section> Sections(string text, bool considerNormalization)
    {
        foreach (var raw in rawTokens.Split(WellFormedText.Of(text)))
            if (raw.Token is not null)
                yield return raw;
            else
                foreach (var section in NormalizedSections(raw, considerNormalization, isFound: null))
                    yield return section;
    }

    private IEnumerable<Section> NormalizedSections(
        Section raw, bool considerNormalization, Func<int, string, AddedToken, bool>? isFound)
    {
        var startsText = raw.StartsText && !LosesItsStart(raw.Text, considerNormalization);
        foreach (var section in normalizedTokens.Split(Normalize(raw.Text, considerNormalization), isFound))
            yield return section with { StartsText = section.StartsText && startsText };
    }

    /// <summary>Whether the normalizer removes a text's first character, so that what is left starts later than the text.</summary>
    private bool LosesItsStart(string text, bool considerNormalization)
    {
        if (!preTokenization.DependsOnPlace || !considerNormalization || Normalizer is null)
            return false;
        // Not the character alone, which normalizers may remove as the last one.
        var start = text[..(text.Length > 1 && char.IsSurrogatePair(text, 0) ? 2 : 1)];
        return Normalizer.Normalize(start + "x") == Normalizer.Normalize("x");
    }

    private string Normalize(string text, bool considerNormalization) =>
        considerNormalization && Normalizer is not null ? Normalizer.Normalize(text) : text;

    /// <summary>Ids of a text, of which the first ones lie wholly in its prompt.</summary>
    /// <param name="ends">Places in the text, ascending, before which ids are counted.</param>
    private sealed class DividedIds(int[] ends)
    {
        private readonly List<int> ids = [];
        private readonly int[] endCounts = new int[ends.Length];
        private int[] places = [];
        private int? promptCount;

        // Places that lie before the section, and before the token that comes next.
        private int beforeSection, passed;

        public int[] Ids => [.. ids];

        public int PromptCount => promptCount ?? ids.Count;

        /// <summary>Whether the section has places that are still to come.</summary>
        public bool HasMarks => passed < beforeSection + places.Length;

        /// <summary>For each place how many ids there are of the text before it, that of its last character included.</summary>
        public int[] EndCounts
        {
            get
            {
                endCounts.AsSpan(passed).Fill(ids.Count);
                return endCounts;
            }
        }

        /// <summary>A section of the text begins.</summary>
        /// <param name="start">Where.</param>
        /// <param name="length">Its length.</param>
        /// <param name="normalized">Where so much of it ends in its normalised text.</param>
        public void BeginSection(int start, int length, Func<int, int> normalized)
        {
            while (passed < ends.Length && ends[passed] <= start)
                endCounts[passed++] = ids.Count;
            beforeSection = passed;
            places = [.. ends.Skip(passed).TakeWhile(end => end <= start + length).Select(end => normalized(end - start))];
        }

        /// <summary>The token that comes next starts at a place of the section's normalised text.</summary>
        public void EndBefore(int start)
        {
            while (HasMarks && places[passed - beforeSection] <= start)
                endCounts[passed++] = ids.Count;
        }

        public void Add(int id, bool isInPrompt)
        {
            if (!isInPrompt)
                promptCount ??= ids.Count;
            ids.Add(id);
        }

        public void Add(ReadOnlySpan<char> word, WordModel encoder, bool isInPrompt)
        {
            if (!isInPrompt)
                promptCount ??= ids.Count;
            encoder.AddIds(word, ids);
        }
    }
}
