using System.Text.Json.Nodes;
using RewardModel.Adapters;
using RewardModel.Chat;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tokenizers;
using RewardModel.Tokenizers.Pipeline;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// A reward transformer together with the tokenizer and the rule by which text becomes its input: what is trained, saved as a Hugging
/// Face directory, loaded again, and scores answers.
/// </summary>
/// <remarks>
/// Text is scored by the overloads of <c>Score</c> and <c>ScoreAsync</c>, token ids by <see cref="Scorer"/>. Rewards are float32 numbers of
/// the caller's. Any number of threads may score a model of <see cref="Load"/> at once, as <see cref="RewardScorer"/> says; none may when
/// it is disposed of, and afterwards everything but its properties throws <see cref="ObjectDisposedException"/>.
/// <code>
/// using var model = ScoringModel.Load("my-reward-model", device: "cuda:0");
/// float[] rewards = model.Score("Which is larger, 3 or 5?", "5 is larger.", "3 is larger.");
/// </code>
/// </remarks>
public sealed partial class ScoringModel : IRewardModel, IDisposable
{
    // As config.json spells them.
    private static readonly Dictionary<ScalarType, string> weightTypeNames = new()
    {
        [ScalarType.Float32] = "float32",
        [ScalarType.BFloat16] = "bfloat16",
        [ScalarType.Float16] = "float16",
    };

    private readonly PaddingToken padding;
    private readonly ListTruncation truncation;
    private readonly ListTokenizer? listTokenizer;

    // Only conversations need it: a template that can't be used is no trouble where there are none.
    private readonly Lazy<ChatTokenizer?> chatTokenizer;

    private bool isDisposed;

    /// <summary>Puts the parts together.</summary>
    /// <param name="transformer">The model, from now on this object's own.</param>
    /// <param name="tokenizer">The tokenizer that belongs to it; null when all data come as token ids.</param>
    /// <param name="maxLength">Maximum length of prompt and answer together, in tokens; null: the transformer's limit.</param>
    /// <exception cref="ArgumentNullException">The transformer is null.</exception>
    /// <param name="encoding">How plain-text prompts and answers are tokenised.</param>
    /// <exception cref="ArgumentException">The maximum length or the vocabulary is larger than the transformer's.</exception>
    public ScoringModel(
        RewardTransformer transformer, HuggingFaceTokenizer? tokenizer = null, int? maxLength = null,
        TextEncoding encoding = TextEncoding.Joint)
        : this(transformer, tokenizer, DefaultRule(transformer, tokenizer, maxLength) with { Encoding = encoding })
    {
    }

    private ScoringModel(RewardTransformer transformer, HuggingFaceTokenizer? tokenizer, ScoringRule rule)
    {
        var backbone = transformer.Backbone;
        if (rule.MaxLength > backbone.MaxPositions)
            throw new ArgumentException(
                $"The maximum length is {rule.MaxLength}; this {backbone.GetName()} takes at most {backbone.MaxPositions} tokens.");
        if (tokenizer?.VocabularySize > backbone.VocabularySize)
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} token ids; the model's vocabulary_size is {backbone.VocabularySize}. "
                + "Use the tokenizer that belongs to the model, "
                + $"or a config.json with a vocab_size of at least {tokenizer.VocabularySize}.");
        Transformer = transformer;
        Tokenizer = tokenizer;
        Rule = rule;
        ReadsTextAsChat = rule.TextIsChat;
        padding = PaddingToken.Of(transformer, tokenizer, rule);
        truncation = new ListTruncation(rule.SpecialTokens, rule.MaxLength);
        listTokenizer = tokenizer is null ? null : new ListTokenizer(tokenizer, rule.SpecialTokens, rule.MaxLength, rule.Encoding);
        chatTokenizer = new Lazy<ChatTokenizer?>(() => tokenizer is not null && rule.ChatTemplate is { } template
            ? new ChatTokenizer(tokenizer, new ChatTemplate(template), rule.SpecialTokens, rule.MaxLength)
            : null);
    }

    /// <summary>The model.</summary>
    public RewardTransformer Transformer { get; }

    /// <summary>The tokenizer; null when the model was trained on token ids without one.</summary>
    public HuggingFaceTokenizer? Tokenizer { get; }

    /// <summary>The rule that turns text into the model's input, and its normaliser.</summary>
    public ScoringRule Rule { get; private set; }

    /// <summary>
    /// Sets the normaliser of <see cref="Rule"/>, which scores from now on and is saved with the model. No thread may be scoring meanwhile.
    /// </summary>
    /// <param name="normalizer">
    /// Applied to raw rewards, those of <c>new RewardScorer(model.Transformer)</c>; such as <see cref="RewardNormalizer.Centering"/>.
    /// </param>
    /// <exception cref="ArgumentNullException">The normaliser is null.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.Load("my-reward-model");
    /// var (demonstrations, _) = model.Tokenize(RankedListReader.Read("demonstrations.jsonl").Lists);
    /// var raw = new RewardScorer(model.Transformer).Score(demonstrations);
    /// model.SetNormalizer(RewardNormalizer.Centering([.. raw.SelectMany(rewards => rewards)]));
    /// model.Save("my-normalised-model");
    /// </code>
    /// </example>
    public void SetNormalizer(RewardNormalizer normalizer)
    {
        ArgumentNullException.ThrowIfNull(normalizer);
        Rule = Rule with { Normalizer = normalizer };
    }

    /// <summary>
    /// Why transformers can't score padded batches of the model that <see cref="Save"/> writes, and what to do about it; null where it can,
    /// and where there is no tokenizer.
    /// </summary>
    public string? PaddingProblem => padding.Problem;

    /// <summary>
    /// Loads what <see cref="Save"/> wrote, or the reward model of another trainer. That has no reward_model.json: prompts and answers
    /// then get the special tokens of the tokenizer's convention (<see cref="HuggingFaceTokenizer.SpecialTokenRule"/>) and are encoded as
    /// one text, the maximum length is what the transformer takes, and the normaliser holds the head's bias and what OpenRLHF wrote into
    /// config.json (<c>mean</c>, <c>std</c>, applied whatever <c>normalize_reward</c> says). An adapter in PEFT's format is loaded together
    /// with its base model; a tokenizer and a reward_model.json that it doesn't have are taken from there. The transformer is in evaluation
    /// mode.
    /// </summary>
    /// <param name="directory">
    /// With config.json, safetensors files, and a tokenizer unless all data come as token ids; or an adapter's.
    /// </param>
    /// <param name="device">
    /// Where it computes: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>, where N counts the GPUs from 0. Null: the CPU.
    /// </param>
    /// <param name="baseDirectory">
    /// Directory of an adapter's base model; null: where adapter_config.json says, from the adapter's directory or the current one.
    /// </param>
    /// <param name="outputWeights">
    /// What each output of the head counts in a reward, where it has several; null: as config.json says
    /// (<see cref="RewardOutputs.WeightsSetting"/>).
    /// </param>
    /// <param name="progress">Receives a report after every tensor.</param>
    /// <param name="cancellationToken">Stops loading before the next tensor.</param>
    /// <returns>The model, which the caller disposes of.</returns>
    /// <exception cref="ArgumentNullException">The directory is null.</exception>
    /// <exception cref="ArgumentException">The device is not one of those, or not on this machine.</exception>
    /// <exception cref="CheckpointException">The directory does not hold a trained reward model: all reasons are listed.</exception>
    /// <exception cref="TokenizerException">Its tokenizer can't be used.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.Load("my-reward-model");
    /// Console.WriteLine($"{model.Transformer.Architecture}, up to {model.Rule.MaxLength} tokens");
    /// </code>
    /// </example>
    public static ScoringModel Load(
        string directory, string? device = null, string? baseDirectory = null, OutputWeights? outputWeights = null,
        IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directory);
        // Weights that were stored in training are stored again.
        return LoadWith(directory, device, baseDirectory, ScoringRule.Read(directory)?.FrozenWeights, outputWeights, progress, cancellationToken);
    }

    /// <summary>
    /// The model of an adapter's directory with the adapter merged into its base model's weights as they are, not as they were stored in
    /// training.
    /// </summary>
    /// <inheritdoc cref="Load"/>
    internal static ScoringModel LoadMerged(string directory, string? baseDirectory, OutputWeights? outputWeights = null)
    {
        var model = LoadWith(directory, device: null, baseDirectory, frozenWeights: null, outputWeights, progress: null, CancellationToken.None);
        model.Transformer.MergeAdapter();
        model.Rule = model.Rule with { FrozenWeights = null };
        return model;
    }

    private static ScoringModel LoadWith(
        string directory, string? device, string? baseDirectory, FrozenWeights? frozenWeights, OutputWeights? outputWeights,
        IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        return Loaded(device, () =>
        {
            var transformer = RewardTransformer.Load(
                directory, dropout: 0, seed: 0, baseDirectory, frozenWeights, outputWeights, progress, cancellationToken, out var normalizer);
            return OwnedBy(transformer, () =>
            {
                if (transformer.HasNewHead)
                    throw new CheckpointException(
                        directory,
                        [$"tensor {Quoted.Text(transformer.Head.OutputWeight)} is missing; expected the head of a trained reward model"],
                        "Train it first.");
                transformer.eval();
                var tokenizer = TokenizerOf(directory, transformer.BaseDirectory);
                return FromParts(directory, transformer, normalizer, tokenizer);
            });
        });
    }

    /// <summary>The same as <see cref="Load"/>, on a thread-pool thread.</summary>
    /// <inheritdoc cref="Load" path="/*[self::param or self::returns or self::exception]"/>
    public static Task<ScoringModel> LoadAsync(
        string directory, string? device = null, string? baseDirectory = null, OutputWeights? outputWeights = null,
        IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return Task.Run(() => Load(directory, device, baseDirectory, outputWeights, progress, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Loads the mean of the weights of several reward models of one architecture, computed in float64 tensor by tensor: model soups
    /// (arXiv 2203.05482), for reward models WARM (arXiv 2401.12187). They should have been trained from one checkpoint: the mean of others
    /// computes nothing. In memory are one model and one tensor. The model is the first one's in all but its weights, on the CPU, in
    /// evaluation mode, and has no normaliser, which belongs to the rewards of one model.
    /// </summary>
    /// <param name="directories">As for <see cref="Load"/>; at least two.</param>
    /// <param name="weights">How much each model counts: numbers above 0, divided by their sum; null: all the same.</param>
    /// <returns>The model, which the caller disposes of.</returns>
    /// <exception cref="ArgumentNullException">The directories or one of them is null.</exception>
    /// <exception cref="ArgumentException">There are fewer than two directories, or wrong weights.</exception>
    /// <exception cref="CheckpointException">
    /// A directory holds no trained reward model, or models differ in config.json, tokenizer or rule: all differences are listed.
    /// </exception>
    /// <exception cref="TokenizerException">A tokenizer can't be used.</exception>
    /// <example>
    /// <code>
    /// using var average = ScoringModel.LoadAverage(["run/seed-0", "run/seed-1", "run/seed-2"]);
    /// average.Save("averaged-model");
    /// </code>
    /// </example>
    public static ScoringModel LoadAverage(IReadOnlyList<string> directories, IReadOnlyList<double>? weights = null)
    {
        CheckNoneIsNull(directories, nameof(directories), "directory");
        using var average = new ModelAverage(directories);
        return average.Compute(weights);
    }

    /// <summary>
    /// Loads a checkpoint for training: a backbone, which gets a newly initialised head, or a reward model, which keeps its head and the
    /// rule of its reward_model.json. Its normaliser is dropped, since it belongs to the rewards before further training, and so is the storage of
    /// its frozen weights. An adapter in PEFT's format is loaded together with its base model, and is what is trained.
    /// </summary>
    /// <param name="directory">The checkpoint's directory.</param>
    /// <param name="tokenizer">
    /// Another tokenizer than the directory's, with its own convention; null: the directory's, if it has one.
    /// </param>
    /// <param name="maxLength">Maximum length of prompt and answer together, in tokens; null: as saved, or the transformer's limit.</param>
    /// <param name="dropout">Dropout rate of the whole architecture.</param>
    /// <param name="seed">Seed of a newly initialised head.</param>
    /// <param name="device">Where it computes, as in <see cref="Load"/>.</param>
    /// <param name="baseDirectory">Directory of an adapter's base model, as in <see cref="Load"/>.</param>
    /// <param name="frozenWeights">Which weights are frozen and stored in fewer bits; null: none are.</param>
    /// <param name="outputWeights">What each output of the head counts in a reward, as in <see cref="Load"/>.</param>
    /// <param name="progress">Receives a report after every tensor.</param>
    /// <param name="cancellationToken">Stops loading before the next tensor.</param>
    /// <returns>The model, which the caller disposes of.</returns>
    /// <exception cref="ArgumentNullException">The directory is null.</exception>
    /// <param name="encoding">
    /// How plain-text prompts and answers are tokenised; null: as saved, or jointly where nothing was saved.
    /// </param>
    /// <exception cref="CheckpointException">The checkpoint can't be used: all reasons are listed.</exception>
    /// <exception cref="TokenizerException">Its tokenizer can't be used.</exception>
    /// <exception cref="ArgumentException">
    /// The maximum length or the vocabulary is larger than the transformer's, or the device is not on this machine.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.LoadForTraining("path/to/sft-model", maxLength: 512);
    /// if (model.Transformer.HasNewHead)
    ///     Console.WriteLine("A language model: its rewards mean nothing before training.");
    /// </code>
    /// </example>
    public static ScoringModel LoadForTraining(
        string directory, HuggingFaceTokenizer? tokenizer = null, int? maxLength = null, double dropout = 0, long seed = 0,
        TextEncoding? encoding = null, string? device = null, string? baseDirectory = null, FrozenWeights? frozenWeights = null,
        OutputWeights? outputWeights = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return Loaded(device, () =>
        {
            var baseOrOwn = baseDirectory;
            RewardTransformer.AdapterOf(directory, ref baseOrOwn);
            // Weights last: they take longest to read.
            var saved = tokenizer is null ? ScoringRule.Read(directory) ?? ScoringRule.Read(baseOrOwn) : null;
            var ownTokenizer = tokenizer ?? TokenizerOf(directory, baseOrOwn);
            var transformer = RewardTransformer.Load(
                directory, dropout, seed, baseDirectory, frozenWeights, outputWeights, progress, cancellationToken, out _);
            return OwnedBy(transformer, () => ForTraining(transformer, ownTokenizer, saved, maxLength, encoding));
        });
    }

    /// <summary>
    /// What <see cref="LoadForTraining"/> would give, without reading a weight: parameters have their shapes, and their memory is reserved,
    /// not used.
    /// </summary>
    internal static ScoringModel ShapesForTraining(
        string directory, HuggingFaceTokenizer? tokenizer, int? maxLength, TextEncoding? encoding, FrozenWeights? frozenWeights,
        OutputWeights? outputWeights = null)
    {
        var saved = tokenizer is null ? ScoringRule.Read(directory) : null;
        var config = HuggingFaceConfig.Read(directory).With(outputWeights);
        using var reader = CheckpointLayout.HasWeights(directory) ? CheckpointReader.Open(directory) : null;
        var transformer = RewardTransformer.WithoutWeights(config, Path.GetFullPath(directory), reader);
        return OwnedBy(transformer, () =>
        {
            if (frozenWeights is not null)
                transformer.FreezeAs(frozenWeights.UnfrozenLayers, frozenWeights.Storage);
            return ForTraining(transformer, tokenizer ?? TokenizerOf(directory, directory), saved, maxLength, encoding);
        });
    }

    /// <summary>What <see cref="LoadForTraining"/> would give, with weights that are still in the checkpoint: of no adapter, and float32.</summary>
    internal static ScoringModel LoadForSharing(
        string directory, HuggingFaceTokenizer? tokenizer, int? maxLength, double dropout, long seed, TextEncoding? encoding, string? device,
        OutputWeights? outputWeights = null) =>
        Loaded(device, () =>
        {
            var saved = tokenizer is null ? ScoringRule.Read(directory) : null;
            var ownTokenizer = tokenizer ?? TokenizerOf(directory, directory);
            var transformer = RewardTransformer.WithPendingWeights(directory, dropout, seed, outputWeights);
            return OwnedBy(transformer, () => ForTraining(transformer, ownTokenizer, saved, maxLength, encoding));
        });

    private static ScoringModel ForTraining(
        RewardTransformer transformer, HuggingFaceTokenizer? tokenizer, ScoringRule? saved, int? maxLength, TextEncoding? encoding) =>
        saved is null
            ? new ScoringModel(transformer, tokenizer, maxLength, encoding ?? TextEncoding.Joint)
            : new ScoringModel(transformer, tokenizer, saved with
            {
                MaxLength = maxLength ?? saved.MaxLength,
                Encoding = encoding ?? saved.Encoding,
                Normalizer = RewardNormalizer.None,
                FrozenWeights = transformer.FrozenWeights,
            });

    /// <summary>A model of parts that a directory has, with the rule that was saved there or else the conventional one.</summary>
    internal static ScoringModel FromParts(
        string directory, RewardTransformer transformer, RewardNormalizer ofHead, HuggingFaceTokenizer? tokenizer)
    {
        var saved = ScoringRule.Read(directory);
        if (saved is null && transformer is { Adapter: not null, BaseDirectory: { } baseDirectory })
        {
            var ofBase = ScoringRule.Read(baseDirectory);
            saved = transformer.HasHeadOfAdapter ? ofBase is null ? null : ofBase with { Normalizer = ofHead } : ofBase;
            if (transformer.HasHeadOfAdapter && saved is not null)
                ofHead = RewardNormalizer.None;
        }
        if (saved is not null && ofHead != RewardNormalizer.None)
            throw new CheckpointException(
                directory,
                [
                    $"there is a {ScoringRule.FileName}, and also a head with a bias or with 'mean' and 'std' in config.json; "
                        + "expected one of them",
                ],
                $"Remove {ScoringRule.FileName} where the weights are another trainer's.");
        return new ScoringModel(
            transformer, tokenizer, saved ?? DefaultRule(transformer, tokenizer, maxLength: null) with { Normalizer = ofHead });
    }

    /// <summary>
    /// Token ids of lists of text, and how many prompts and answers were cut to the maximum length. It works on as many threads as torch is
    /// set to (<c>torch.set_num_threads</c>); of several lists that can't be used all are named in one error.
    /// </summary>
    /// <param name="lists">Lists of text or of conversations.</param>
    /// <param name="progress">Receives a report after every hundredth of the lists, on the worker threads.</param>
    /// <param name="cancellationToken">Ends the work before the next list.</param>
    /// <returns>The lists in their order.</returns>
    /// <exception cref="ArgumentNullException">The lists or one of them is null.</exception>
    /// <exception cref="ArgumentException">The model has no tokenizer.</exception>
    /// <exception cref="TokenizerException">
    /// A list is a conversation, and there is no chat template, or lists are rejected by it or by the tokenizer: all of them are named.
    /// </exception>
    /// <exception cref="ChatTemplateException">A list is a conversation, and the chat template can't be used.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.Load("my-reward-model");
    /// var (lists, cut) = model.Tokenize(RankedListReader.Read("test.jsonl").Lists);
    /// float[][] rewards = model.Scorer().Score(lists);
    /// Console.WriteLine($"{cut.Prompts.Cut} of {cut.Prompts.All} prompts were cut");
    /// </code>
    /// </example>
    public (IReadOnlyList<TokenizedList> Lists, TruncationCount Cut) Tokenize(
        IReadOnlyList<RankedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckNoneIsNull(lists, nameof(lists));
        ThrowIfDisposed();
        return InTokenizeActivity(lists.Count, () =>
        {
            var results = TokenizeEach(lists, progress, cancellationToken);
            TokenizerException[] rejections = [.. results.Select(result => result.Rejection).OfType<TokenizerException>()];
            return rejections.Length == 0
                ? AddUp(results.Select(result => (result.List!, result.Cut)))
                : throw Joined(rejections, lists.Count);
        });
    }

    /// <summary>
    /// The same for lists of which some may be rejected by the tokenizer or the chat template: each gives its token ids or its error.
    /// </summary>
    /// <inheritdoc cref="Tokenize"/>
    internal (TokenizedList? List, TruncationCount Cut, TokenizerException? Rejection)[] TryTokenize(
        IReadOnlyList<RankedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckNoneIsNull(lists, nameof(lists));
        ThrowIfDisposed();
        return InTokenizeActivity(lists.Count, () => TokenizeEach(lists, progress, cancellationToken));
    }

    private static T InTokenizeActivity<T>(int listCount, Func<T> tokenize)
    {
        using var activity = ScoringTelemetry.Start(ScoringTelemetry.TokenizeActivity)?.SetTag(ScoringTelemetry.ListTag, listCount);
        return ScoringTelemetry.Within(activity, tokenize);
    }

    private (TokenizedList? List, TruncationCount Cut, TokenizerException? Rejection)[] TokenizeEach(
        IReadOnlyList<RankedList> lists, IProgress<ListProgress>? progress, CancellationToken cancellationToken)
    {
        if (listTokenizer is null)
            throw new ArgumentException(
                "The model has no tokenizer, so it can't read text. Provide lists of token ids (prompt_ids, answer_ids), or a tokenizer.",
                nameof(lists));
        // A template that is not there or can't be used is one error, not one of each list.
        var chats = lists.FirstOrDefault(list => list.Chat is not null) is { } firstChat ? ChatTokenizerFor(firstChat) : null;
        return Batch.Map(
            lists, get_num_threads(), TryOne,
            progress is null ? null : doneCount => progress.Report(new ListProgress(doneCount, lists.Count)), cancellationToken);

        (TokenizedList? List, TruncationCount Cut, TokenizerException? Rejection) TryOne(RankedList list)
        {
            try
            {
                var (tokenized, cut) = list.Chat is not null ? chats!.Tokenize(list) : listTokenizer.Tokenize(list);
                return (tokenized with { IsChat = list.Chat is not null }, cut, null);
            }
            catch (TokenizerException rejection)
            {
                return (null, default, rejection);
            }
        }
    }

    /// <summary>Each answer of a list with its prompt as they are encoded, before anything is cut.</summary>
    internal IReadOnlyList<EncodedPair> PairsOf(RankedList list) =>
        list.Chat is not null ? ChatTokenizerFor(list).PairsOf(list) : listTokenizer!.PairsOf(list);

    /// <summary>
    /// Remembers what the model was trained on, for <see cref="ScoringRule.TextIsChat"/>; token ids tell nothing of it.
    /// </summary>
    /// <returns>How many of the lists were conversations, and how many text.</returns>
    internal (int Chats, int Texts) RememberTraining(IEnumerable<TokenizedList> lists)
    {
        var (chats, texts) = (0, 0);
        foreach (var list in lists)
            (chats, texts) = list.IsChat switch { true => (chats + 1, texts), false => (chats, texts + 1), null => (chats, texts) };
        RememberTraining(chats, texts);
        return (chats, texts);
    }

    /// <summary>The same, of lists that were counted.</summary>
    internal void RememberTraining(int chats, int texts)
    {
        if (chats + texts > 0)
            Rule = Rule with { TextIsChat = chats > 0 && texts == 0 };
        ReadsTextAsChat = Rule.TextIsChat;
    }

    /// <summary>Remembers what the model was trained on from the rule that it had then; null where that is not known.</summary>
    internal void RememberTraining(ScoringRule? rule)
    {
        if (rule is null)
            return;
        Rule = Rule with { TextIsChat = rule.TextIsChat };
        ReadsTextAsChat = Rule.TextIsChat;
    }

    /// <summary>Lists that came as token ids, cut to the maximum length where they exceed it, with the rule's token type.</summary>
    /// <param name="lists">Lists of token ids, special tokens included.</param>
    /// <returns>The lists in their order, and how many prompts and answers were cut.</returns>
    /// <exception cref="ArgumentNullException">The lists or one of them is null.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    public (IReadOnlyList<TokenizedList> Lists, TruncationCount Cut) Truncate(IReadOnlyList<TokenizedList> lists)
    {
        CheckNoneIsNull(lists, nameof(lists));
        ThrowIfDisposed();
        return AddUp(lists.Select(list => truncation.Truncate(
            Rule.SpecialTokens.AnswerTokenType == 0 ? list : list with { AnswerTokenType = Rule.SpecialTokens.AnswerTokenType })));
    }

    /// <summary>
    /// Writes a directory that transformers loads as the architecture's sequence-classification class: weights, config.json, the
    /// tokenizer's files byte for byte, and reward_model.json. Frozen weights that are stored in fewer bits are written as they were loaded: they
    /// are read again from the checkpoint's files. A model that was there is replaced as a whole: whenever the process ends,
    /// <see cref="Load"/> finds the old one or the new one. Files that belong to no model stay. (transformers knows no normaliser and
    /// gives raw rewards, unless it is folded into the head.) config.json and the tokenizer's files name the same padding token, one that
    /// stands in no prompt and no answer, so that transformers reads the same rewards in padded batches; where there is none,
    /// <see cref="PaddingProblem"/> says so. Of a model with an adapter the adapter alone is written, in PEFT's format, with the head and the
    /// path of its base model; after <see cref="RewardTransformer.MergeAdapter"/> the whole model is.
    /// </summary>
    /// <param name="directory">Created if it is missing. Replacing a model temporarily takes the space of both.</param>
    /// <param name="weightType">Float32, or BFloat16 or Float16: half the size, with rounded weights.</param>
    /// <param name="maxShardBytes">The most bytes of one file of weights, unless a single tensor has more; an adapter is one file.</param>
    /// <exception cref="ArgumentNullException">The directory is null.</exception>
    /// <param name="foldNormalizer">
    /// True: the saved head's weight and bias hold the normaliser, and reward_model.json has none, so that every program that loads the
    /// model computes normalised rewards. The model in memory stays as it is.
    /// </param>
    /// <exception cref="ArgumentException">
    /// Another type, or weights that are too large for Float16; or a normaliser that leaves rewards unchanged, or whose mean needs a bias
    /// that the architecture's head doesn't have, is to be folded.
    /// </exception>
    /// <exception cref="CheckpointException">
    /// The directory can't be made or written to, or stored weights are not in the checkpoint any more that they were loaded from; the message
    /// says why.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.LoadForTraining("path/to/sft-model");
    /// model.Save("my-reward-model", TorchSharp.torch.ScalarType.BFloat16);
    /// </code>
    /// </example>
    public void Save(
        string directory, ScalarType weightType = ScalarType.Float32, long maxShardBytes = CheckpointWriter.DefaultMaxShardBytes,
        bool foldNormalizer = false)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ThrowIfDisposed();
        if (Transformer.NotFiniteParameters() is { Count: > 0 } damaged)
            throw new CheckpointException(
                directory,
                [$"the model's weights are not finite: {WeightLoading.NamesText(damaged)}; expected finite numbers, so nothing is written"],
                "Train again with a lower learning rate, or use a checkpoint that is not damaged.");
        SaveTogether(directory, SingleProcess.Instance, weightType, maxShardBytes, foldNormalizer);
    }

    /// <summary>
    /// The same together with other ranks, which have parts of the weights: each writes its own, and the first rank the other files. Whoever
    /// trains them has checked that they are finite: no process need have all.
    /// </summary>
    internal void SaveTogether(
        string directory, ICollective ranks, ScalarType weightType = ScalarType.Float32,
        long maxShardBytes = CheckpointWriter.DefaultMaxShardBytes, bool foldNormalizer = false)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ThrowIfDisposed();
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (Transformer.ModelAdapter is { } adapter)
        {
            if (foldNormalizer)
                throw new ArgumentException(
                    "The model has an adapter, and a normaliser is folded into whole models only; merge the adapter first (MergeAdapter, "
                    + "reward-model export --merge).", nameof(foldNormalizer));
            CheckWeightType(
                [.. Transformer.TrainedParameters.Select(pair => new WeightSource(pair.Name, pair.Parameter.shape, () => pair.Parameter.alias()))],
                weightType);
            SaveAdapter(adapter, directory, weightType);
            return;
        }
        Transformer.WithOriginals(originals =>
        {
            var weights = foldNormalizer ? FoldedHead.Of(Transformer, originals, Rule.Normalizer) : originals;
            CheckWeightType(weights, weightType);
            if (ranks.Rank > 0)
            {
                CheckpointWriter.WriteEach(SavedModel.PendingIn(directory), weights, weightType, ranks, maxShardBytes);
                return;
            }
            SavedModel.Replace(directory, pending =>
            {
                var files = CheckpointWriter.WriteEach(pending, weights, weightType, ranks, maxShardBytes);
                WriteTokenizer(pending);
                (foldNormalizer ? Rule with { Normalizer = RewardNormalizer.None } : Rule).Write(pending);
                ExportedConfig(weightType).Write(pending);
                return files;
            });
        });
        if (weightType == ScalarType.Float32 && !foldNormalizer)
            Transformer.BaseDirectory = Path.GetFullPath(directory);
    }

    private void SaveAdapter(ModelAdapter adapter, string directory, ScalarType weightType)
    {
        if (Transformer.BaseDirectory is not { } baseDirectory)
            throw new CheckpointException(
                directory, ["the weights that the model's adapter changes lie in no directory; expected those that it was loaded from"],
                "Save the model before it gets an adapter, or merge it (MergeAdapter).");
        if (AdapterBase.IsSame(directory, baseDirectory) && !AdapterConfig.IsIn(directory))
            throw new CheckpointException(
                directory, ["the directory holds the model that the adapter changes, which would be replaced"], "Give another directory.");
        SavedModel.Replace(directory, pending =>
        {
            adapter.Write(pending, baseDirectory, weightType);
            WriteTokenizer(pending);
            Rule.Write(pending, Transformer.Outputs);
            return [];
        });
    }

    /// <summary>Replaces reward_model.json alone in the directory that the model was loaded from.</summary>
    /// <exception cref="CheckpointException">There is none, and the head of another trainer would be read in two ways.</exception>
    internal void SaveRule(string directory)
    {
        if (ScoringRule.Read(directory) is null && !AdapterConfig.IsIn(directory) && HasForeignNormalizer(directory))
            throw new CheckpointException(
                directory,
                [$"there is no {ScoringRule.FileName}, and a head with a bias or 'mean' and 'std' in config.json: another trainer's model"],
                "Export it first (reward-model export --model), which brings it into this form.");
        SavedModel.Change(
            directory, ScoringRule.FileName, () => Rule.Write(directory, AdapterConfig.IsIn(directory) ? Transformer.Outputs : null));
    }

    private static bool HasForeignNormalizer(string directory)
    {
        using var reader = CheckpointReader.Open(directory);
        using var model = RewardTransformer.WithoutWeights(HuggingFaceConfig.Read(directory), weights: reader);
        return WeightLoading.Match(reader, directory, model).ReadNormalizer() != RewardNormalizer.None;
    }

    private void WriteTokenizer(string directory)
    {
        if (Tokenizer is null)
            return;
        var changed = padding is { Id: { } id, Content: { } content }
            ? PaddingFiles.Changed(Tokenizer.Files, id, content)
            : new Dictionary<string, byte[]>();
        foreach (var file in Tokenizer.Files.Where(file => !changed.ContainsKey(Path.GetFileName(file))))
            PendingFile.Copy(file, TokenizerDirectory.KindOf(Path.GetFileName(file)), Path.Combine(directory, Path.GetFileName(file)));
        foreach (var (name, bytes) in changed)
        {
            using var file = new PendingFile(Path.Combine(directory, name));
            file.Content.Write(bytes);
            file.Commit();
        }
    }

    /// <summary>Releases the model. No thread may be scoring with it.</summary>
    public void Dispose()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        PromptCache?.Dispose();
        Transformer.Dispose();
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(isDisposed, this);

    /// <summary>A model that is loaded and put onto its device; the device is looked for first, since weights take long to read.</summary>
    private static ScoringModel Loaded(string? device, Func<ScoringModel> load)
    {
        using var activity = ScoringTelemetry.Start(ScoringTelemetry.LoadActivity);
        return ScoringTelemetry.Within(activity, () =>
        {
            var place = device is null ? null : Devices.Named(device);
            var model = load();
            if (place is not null)
                OwnedBy(model, () =>
                {
                    model.Transformer.MoveTo(place);
                    return model;
                });
            activity?.SetTag(ScoringTelemetry.DeviceTag, ScoringTelemetry.NameOf(model.Transformer.Device.type))
                .SetTag(ScoringTelemetry.ArchitectureTag, model.Transformer.Config.Json["model_type"]?.ToString());
            return model;
        });
    }

    /// <summary>What is made of an object that is disposed of when that fails.</summary>
    private static T OwnedBy<T>(IDisposable owned, Func<T> make)
    {
        try
        {
            return make();
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }

    internal static void CheckNoneIsNull<T>(IReadOnlyList<T> items, string name, string kind = "list")
    {
        ArgumentNullException.ThrowIfNull(items, name);
        for (var i = 0; i < items.Count; i++)
            if (items[i] is null)
                throw new ArgumentNullException(
                    name, $"{char.ToUpperInvariant(kind[0])}{kind[1..]} {i + 1} of {items.Count} is null; expected a {kind}.");
    }

    private static TokenizerException Joined(TokenizerException[] rejections, int listCount)
    {
        const int maxShown = 50;
        string[] more = rejections.Length > maxShown ? [$"and {rejections.Length - maxShown} more"] : [];
        return rejections is [var only]
            ? only
            : new TokenizerException(
                $"{rejections.Length} of {listCount} lists can't be read by the tokenizer or its chat template",
                [.. rejections.Take(maxShown).Select(rejection => rejection.Message), .. more]);
    }

    private static HuggingFaceTokenizer? TokenizerOf(params string?[] directories) =>
        directories.FirstOrDefault(directory => directory is not null && HuggingFaceTokenizer.IsIn(directory)) is { } found
            ? HuggingFaceTokenizer.Load(found)
            : null;

    private ChatTokenizer ChatTokenizerFor(RankedList list) => chatTokenizer.Value ?? throw new TokenizerException(
        list.Source.ToString(),
        [
            "messages, but the tokenizer has no chat template; expected chat_template.jinja, or \"chat_template\" in "
            + "tokenizer_config.json. Provide a tokenizer that has one, or the text as \"prompt\"",
        ]);

    private static ScoringRule DefaultRule(RewardTransformer transformer, HuggingFaceTokenizer? tokenizer, int? maxLength)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        return new(tokenizer?.SpecialTokenRule ?? SpecialTokenRule.None, maxLength ?? transformer.Backbone.MaxPositions)
        {
            ChatTemplate = tokenizer?.ChatTemplate,
            Encoding = TextEncoding.Joint,
            FrozenWeights = transformer.FrozenWeights,
        };
    }

    private static void CheckWeightType(IReadOnlyList<WeightSource> weights, ScalarType type)
    {
        if (!weightTypeNames.ContainsKey(type))
            throw new ArgumentException(
                $"The weights can't be saved as {type}; expected one of {string.Join(", ", weightTypeNames.Keys)}.");
        const double largestHalf = 65504;
        string[] tooLarge = type != ScalarType.Float16 ? [] :
        [
            .. weights.Where(weight => LargestMagnitude(weight) > largestHalf).Select(weight => weight.Name),
        ];
        if (tooLarge.Length > 0)
            throw new ArgumentException(
                $"Float16 holds numbers up to {largestHalf}, and these tensors have larger ones: {string.Join(", ", tooLarge)}. "
                + "Save them as BFloat16 or Float32.");
    }

    private static float LargestMagnitude(WeightSource weight)
    {
        using var scope = NewDisposeScope();
        return weight.Read().abs().max().to(float32).cpu().item<float>();
    }

    private HuggingFaceConfig ExportedConfig(ScalarType weightType)
    {
        var config = Transformer.Config.Copy();
        config.Json["architectures"] = new JsonArray(Transformer.Backbone.SequenceClassificationClass);
        Transformer.Outputs.Write(config);
        config.Json["pad_token_id"] = padding.Id;
        foreach (var setting in ForeignHead.Settings.Append("problem_type"))
            config.Json.Remove(setting);
        // transformers 5 reads either name, 4 the second only.
        config.Json.Remove("dtype");
        config.Json["torch_dtype"] = weightTypeNames[weightType];
        return config;
    }

    private static (IReadOnlyList<TokenizedList> Lists, TruncationCount Cut) AddUp(
        IEnumerable<(TokenizedList List, TruncationCount Cut)> results)
    {
        var all = results.ToArray();
        return ([.. all.Select(result => result.List)], all.Aggregate(default(TruncationCount), (sum, result) => sum + result.Cut));
    }
}
