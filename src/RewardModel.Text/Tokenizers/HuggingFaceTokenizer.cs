using Microsoft.ML.Tokenizers;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers;

/// <summary>
/// The tokenizer of a Hugging Face checkpoint, read from tokenizer.json, with the names of its special tokens from
/// tokenizer_config.json or special_tokens_map.json. Without a tokenizer.json it is read from vocab.txt (BERT), from vocab.json and
/// merges.txt (GPT-2, RoBERTa, Qwen2), or from a SentencePiece model (Llama, T5, XLM-RoBERTa, ALBERT, DeBERTa-v2), as transformers
/// converts these. Its ids are those of Hugging Face's tokenizers. Thread-safe.
/// </summary>
public sealed class HuggingFaceTokenizer
{
    private readonly PipelineTokenizer tokenizer;
    private readonly PipelineTokenizer plainTextTokenizer;
    private readonly TokenDecoding decoding;
    private readonly PostProcessor postProcessor;

    internal HuggingFaceTokenizer(
        PipelineTokenizer tokenizer,
        PipelineTokenizer plainTextTokenizer,
        PostProcessor postProcessor,
        TokenDecoding decoding,
        string modelType,
        SpecialTokenIds specialTokens,
        SpecialTokenRule rule,
        ChatTokens chat,
        int vocabularySize,
        IReadOnlyList<string> files)
    {
        (this.tokenizer, this.plainTextTokenizer) = (tokenizer, plainTextTokenizer);
        this.postProcessor = postProcessor;
        this.decoding = decoding;
        ModelType = modelType;
        BeginningOfSequenceId = specialTokens.BeginningOfSequence;
        EndOfSequenceId = specialTokens.EndOfSequence;
        PaddingId = specialTokens.Padding;
        UnknownId = specialTokens.Unknown;
        SpecialTokenRule = rule;
        ChatTemplate = chat.Template;
        MaxLength = chat.MaxLength;
        SpecialTokens = chat.SpecialTokens;
        VocabularySize = vocabularySize;
        Files = files;
    }

    /// <summary>Recognises special tokens in the text, as chat templates require. Adds none around it.</summary>
    public Tokenizer Tokenizer => tokenizer;

    /// <summary>Reads the names of special tokens as plain text: for users' text, which must not be able to end a sequence.</summary>
    public Tokenizer PlainTextTokenizer => plainTextTokenizer;

    /// <summary>The id of <c>bos_token</c>; null where the tokenizer has none.</summary>
    public int? BeginningOfSequenceId { get; }

    /// <summary>The id of <c>eos_token</c>; null where the tokenizer has none.</summary>
    public int? EndOfSequenceId { get; }

    /// <summary>The id of <c>pad_token</c>; null where the tokenizer has none.</summary>
    public int? PaddingId { get; }

    /// <summary>The id of <c>unk_token</c>; null where the tokenizer has none.</summary>
    public int? UnknownId { get; }

    /// <summary>
    /// What the tokenizer's own convention puts around a prompt and its answer. For an encoder, whose post-processor separates a pair of
    /// texts, what the post-processor puts around a pair. For others, before the prompt <c>bos_token</c> if <c>add_bos_token</c> is true,
    /// nothing if it is false, and what the post-processor puts there if nothing is said; nothing between; after the answer
    /// <c>eos_token</c>, and without one what the post-processor puts there.
    /// </summary>
    public SpecialTokenRule SpecialTokenRule { get; }

    /// <summary>
    /// The text of the chat template: of chat_template.jinja, else of tokenizer_config.json (of several the one named "default"); null
    /// where there is none. See <see cref="Chat.ChatTemplate"/>.
    /// </summary>
    public string? ChatTemplate { get; }

    /// <summary>The special tokens by the names that chat templates know them by: <c>bos_token</c> and so on.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; }

    /// <summary>The <c>model_max_length</c> that the tokenizer gives; null if there is none, or the huge number that means none.</summary>
    public int? MaxLength { get; }

    /// <summary>One more than the highest id: the rows that an embedding needs at least.</summary>
    public int VocabularySize { get; }

    /// <summary>The tokenizer's model: BPE, Unigram, WordLevel or WordPiece.</summary>
    internal string ModelType { get; }

    /// <summary>The tokens that <see cref="PlainTextTokenizer"/> never finds in a text, by their ids.</summary>
    internal IReadOnlyList<AddedToken> SpecialAddedTokens { get; init; } = [];

    /// <summary>
    /// The paths of the directory's tokenizer files, all of which belong into a model exported with it, byte for byte but for the padding
    /// token.
    /// </summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Whether a directory has a tokenizer: a tokenizer.json, or the files that came before it.</summary>
    public static bool IsIn(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return TokenizerDirectory.HasTokenizer(directory);
    }

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="directory">A checkpoint's directory, with at least a tokenizer.json or the files that came before it.</param>
    /// <exception cref="TokenizerException">
    /// A file is missing or malformed, or requires something that is not supported; the message lists everything.
    /// </exception>
    public static HuggingFaceTokenizer Load(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return TokenizerDirectory.Read(directory);
    }

    /// <summary>The ids that Hugging Face's <c>encode</c> gives: special tokens in the text are recognised.</summary>
    /// <param name="text">The text; lone surrogates are read as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor puts its special tokens around the text.</param>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = Tokenizer.EncodeToIds(text);
        return addSpecialTokens ? [.. postProcessor.Before, .. ids, .. postProcessor.After] : ids;
    }

    /// <summary>The ids of many texts in their order, each as <see cref="Encode(string, bool)"/> gives them.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="addSpecialTokens">Whether the post-processor puts its special tokens around each text.</param>
    /// <param name="maxThreads">The most threads that encode; null for one per core.</param>
    /// <exception cref="TokenizerException">A text can't be encoded; of several the first one's.</exception>
    public IReadOnlyList<int>[] EncodeBatch(IReadOnlyList<string> texts, bool addSpecialTokens, int? maxThreads = null) =>
        EncodeBatch(texts, maxThreads, text => Encode(text, addSpecialTokens));

    /// <summary>The ids of many conversations in their order, each as <see cref="Encode(RenderedText)"/> gives them.</summary>
    /// <inheritdoc cref="EncodeBatch(IReadOnlyList{string}, bool, int?)"/>
    public IReadOnlyList<int>[] EncodeBatch(IReadOnlyList<RenderedText> texts, int? maxThreads = null) =>
        EncodeBatch(texts, maxThreads, Encode);

    /// <summary>
    /// The ids of a rendered conversation. They are those that Hugging Face's <c>encode</c> gives for the whole text, except where users'
    /// text has the name of a special token: that stays text.
    /// </summary>
    public IReadOnlyList<int> Encode(RenderedText text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return EncodeParts(text, promptLength: 0).Ids;
    }

    /// <summary>The same, and how many of the ids, from the first on, lie wholly in the first characters of the text.</summary>
    internal (int[] Ids, int PromptCount) EncodeParts(RenderedText text, int promptLength)
    {
        var (ids, promptCount, _) = EncodeParts(text, promptLength, EndMarks.None);
        return (ids, promptCount);
    }

    /// <summary>The same, and for each place in the text how many ids there are up to the token that has the character before it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="promptLength">How many of its characters are the prompt.</param>
    /// <param name="marks">The places.</param>
    internal (int[] Ids, int PromptCount, int[] EndCounts) EncodeParts(RenderedText text, int promptLength, EndMarks marks) =>
        tokenizer.EncodeToIds(text, plainTextTokenizer, promptLength, marks);

    /// <summary>
    /// The ids of a prompt and an answer as one plain text, in which the names of special tokens are text, and how many of the ids, from
    /// the first on, lie wholly in the prompt.
    /// </summary>
    internal (int[] Ids, int PromptCount) EncodeParts(string prompt, string answer) =>
        plainTextTokenizer.EncodeToIds(prompt, answer);

    /// <summary>The ids with the post-processor's special tokens around them, but for those that they start or end with already.</summary>
    public IReadOnlyList<int> AddSpecialTokens(IReadOnlyList<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var (before, after) = (postProcessor.Before, postProcessor.After);
        return
        [
            .. ids.Take(before.Count).SequenceEqual(before) ? [] : before,
            .. ids,
            .. ids.TakeLast(after.Count).SequenceEqual(after) ? [] : after,
        ];
    }

    /// <summary>The text of the ids, by the tokenizer.json's decoder alone (<c>clean_up_tokenization_spaces</c> is not applied).</summary>
    /// <exception cref="TokenizerException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return decoding.Decode(ids, skipSpecialTokens);
    }

    private static IReadOnlyList<int>[] EncodeBatch<T>(IReadOnlyList<T> texts, int? maxThreads, Func<T, IReadOnlyList<int>> encode)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (maxThreads < 1)
            throw new ArgumentOutOfRangeException(nameof(maxThreads), maxThreads, "expected at least 1 thread");
        return Batch.Map(texts, maxThreads ?? Environment.ProcessorCount, encode);
    }
}
