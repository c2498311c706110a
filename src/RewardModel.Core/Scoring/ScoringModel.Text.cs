using System.Runtime.CompilerServices;
using System.Threading.Channels;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Tokenizers;

namespace RewardModel.Scoring;

/// <content>Scoring of text: everything goes through <see cref="Tokenize"/> and <see cref="Scorer"/>.</content>
public sealed partial class ScoringModel
{
    /// <summary>How many lists of a sequence are scored together, and read before they are.</summary>
    internal const int GroupSize = 256;

    /// <summary>
    /// Maximum number of tokens in a batch when text is scored, a shared prompt counted once: bounds memory, and changes rounding only.
    /// <see cref="RewardScorer.DefaultMaxTokensPerBatch"/> unless set. Set it before the model is scored.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public int MaxTokensPerBatch
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = RewardScorer.DefaultMaxTokensPerBatch;

    /// <summary>
    /// Where prompts' keys and values are kept for answers that come later, so that these are computed alone; null, unless it is set: nowhere.
    /// Disposed of with the model. Set it before the model is scored.
    /// </summary>
    public PromptCache? PromptCache { get; set; }

    /// <summary>
    /// Whether the prompt of a list of plain text is scored as a message of the user, and its answers as messages of the assistant, through
    /// the model's chat template. That is so for models that were trained on conversations (<see cref="ScoringRule.TextIsChat"/>), unless it
    /// is set otherwise; without a template there is no such thing. Set it before the model is scored.
    /// </summary>
    public bool ReadsTextAsChat
    {
        get => field && Rule.ChatTemplate is not null;
        set;
    }

    /// <summary>Scores token ids by this model's rule: what <see cref="Tokenize"/> or <see cref="Truncate"/> give.</summary>
    /// <param name="maxTokensPerBatch">
    /// Most tokens that are computed at once, a shared prompt counted once; null: <see cref="MaxTokensPerBatch"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The most tokens of a batch are below 1.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    public RewardScorer Scorer(int? maxTokensPerBatch = null)
    {
        ThrowIfDisposed();
        return new RewardScorer(Transformer, maxTokensPerBatch ?? MaxTokensPerBatch, Rule.Normalizer, PromptCache);
    }

    /// <summary>Scores answers to one prompt: through the chat template where <see cref="ReadsTextAsChat"/>.</summary>
    /// <param name="prompt">The prompt; may be empty. It is cut as in <see cref="Tokenize"/>.</param>
    /// <param name="answers">At least one answer.</param>
    /// <returns>One reward for each answer, in the order of the answers; higher is better.</returns>
    /// <exception cref="ArgumentNullException">The prompt, the answers or one of them is null.</exception>
    /// <exception cref="ArgumentException">The model has no tokenizer, or there is no answer.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.Load("my-reward-model");
    /// float[] rewards = model.Score("Which is larger, 3 or 5?", "5 is larger.", "3 is larger.");
    /// Console.WriteLine(rewards[0] &gt; rewards[1]);
    /// </code>
    /// </example>
    public float[] Score(string prompt, params IReadOnlyList<string> answers) => Score(ListOf(prompt, answers), CancellationToken.None);

    /// <summary>Scores answers of the assistant to a conversation, rendered by the model's chat template.</summary>
    /// <param name="conversation">The messages before the answers. Its text is cut as in <see cref="Tokenize"/>.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <returns>One reward for each answer, in the order of the answers; higher is better.</returns>
    /// <exception cref="ArgumentNullException">The conversation, the answers or one of them is null.</exception>
    /// <exception cref="ArgumentException">The model has no tokenizer, or there is no answer.</exception>
    /// <exception cref="TokenizerException">There is no chat template, or it rejects the conversation.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    public float[] Score(Conversation conversation, params IReadOnlyList<string> answers) =>
        Score(ListOf(conversation, answers), CancellationToken.None);

    /// <summary>Scores lists all at once, those of similar length together.</summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>Per list, one reward for each of its answers, in their order.</returns>
    /// <exception cref="ArgumentNullException">The lists or one of them is null.</exception>
    /// <inheritdoc cref="Tokenize" path="/exception[not(contains(@cref, 'ArgumentNullException'))]"/>
    public float[][] Score(
        IReadOnlyList<RankedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Scorer().Score(Tokenize(ToScore(lists), progress: null, cancellationToken).Lists, progress, cancellationToken);

    /// <summary>Scores answers to one prompt at every token: through the chat template where <see cref="ReadsTextAsChat"/>.</summary>
    /// <param name="prompt">The prompt; may be empty. It is cut as in <see cref="Tokenize"/>.</param>
    /// <param name="answers">At least one answer.</param>
    /// <returns>For each answer its tokens with their rewards, as <see cref="RewardScorer.ScoreTokens"/> computes them; of the last one the answer's.</returns>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/exception"/>
    /// <exception cref="ArgumentException">The model is an encoder or has no tokenizer, or there is no answer.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.Load("my-reward-model");
    /// foreach (var token in model.ScoreTokens("Which is larger, 3 or 5?", "5 is larger.")[0])
    ///     Console.WriteLine($"{token.Reward:F3} {token.Text}");
    /// </code>
    /// </example>
    public IReadOnlyList<TokenReward>[] ScoreTokens(string prompt, params IReadOnlyList<string> answers) =>
        ScoreTokens([ListOf(prompt, answers)])[0];

    /// <summary>Scores lists at every token of their answers, those of similar length together.</summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>Per list and answer, its tokens with their rewards.</returns>
    /// <inheritdoc cref="Score(IReadOnlyList{RankedList}, IProgress{ListProgress}, CancellationToken)" path="/exception"/>
    public IReadOnlyList<TokenReward>[][] ScoreTokens(
        IReadOnlyList<RankedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default) =>
    [
        .. ScoreWithin(lists, separator: null, progress, cancellationToken).Select(list => Array.ConvertAll(list, answer => answer.Tokens!)),
    ];

    /// <summary>Scores the steps of answers to one prompt: through the chat template where <see cref="ReadsTextAsChat"/>.</summary>
    /// <param name="separator">
    /// What ends a step in an answer's text, such as a line break; the name of a special token of the tokenizer is that token there, and text
    /// everywhere else. What follows the last one is a step as well, unless it is white space, and has the answer's reward.
    /// </param>
    /// <param name="prompt">The prompt; may be empty. It is cut as in <see cref="Tokenize"/>.</param>
    /// <param name="answers">At least one answer.</param>
    /// <returns>For each answer its steps. Those of which the end was cut off have no reward.</returns>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/exception"/>
    /// <exception cref="ArgumentException">The model is an encoder or has no tokenizer, there is no answer, or the separator is empty.</exception>
    /// <example>
    /// <code>
    /// using var model = ScoringModel.Load("my-process-reward-model");
    /// foreach (var step in model.ScoreSteps("\n", "What is 2 + 3 * 4?", "3 * 4 is 12.\n2 + 12 is 14.\n")[0])
    ///     Console.WriteLine($"{step.Reward:F3} {step.Text}");
    /// </code>
    /// </example>
    public IReadOnlyList<StepReward>[] ScoreSteps(string separator, string prompt, params IReadOnlyList<string> answers) =>
        ScoreSteps([ListOf(prompt, answers)], separator)[0];

    /// <summary>Scores the steps of the answers of lists, those of similar length together.</summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="separator">What ends a step, as in the other overload.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>Per list and answer, its steps.</returns>
    /// <inheritdoc cref="Score(IReadOnlyList{RankedList}, IProgress{ListProgress}, CancellationToken)" path="/exception"/>
    public IReadOnlyList<StepReward>[][] ScoreSteps(
        IReadOnlyList<RankedList> lists, string separator, IProgress<ListProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(separator);
        return [.. ScoreWithin(lists, separator, progress, cancellationToken).Select(list => Array.ConvertAll(list, answer => answer.Steps!))];
    }

    private ProcessReward[][] ScoreWithin(
        IReadOnlyList<RankedList> lists, string? separator, IProgress<ListProgress>? progress, CancellationToken cancellationToken)
    {
        lists = ToScore(lists);
        ThrowIfDisposed();
        var scoring = new ProcessScoring([this], separator);
        scoring.Check();
        return scoring.Score(lists, maxTokensPerBatch: null, progress, cancellationToken).Rewards;
    }

    /// <summary>What is read of a prompt and an answer of plain text; null without a tokenizer.</summary>
    internal string? Example()
    {
        if (Tokenizer is null)
            return null;
        var list = Tokenize(ToScore([RankedList.BestFirst("PROMPT", "ANSWER")])).Lists[0];
        return Tokenizer.Decode([.. list.PromptOf(0), .. list.AnswerIds[0]], skipSpecialTokens: false);
    }

    /// <summary>Lists as they are scored: conversations, where <see cref="ReadsTextAsChat"/>.</summary>
    internal IReadOnlyList<RankedList> ToScore(IReadOnlyList<RankedList> lists)
    {
        CheckNoneIsNull(lists, nameof(lists));
        return ReadsTextAsChat ? [.. lists.Select(list => list.IsWholeText ? list : list.AsChat())] : lists;
    }


    /// <summary>
    /// Scores a sequence of any length lazily: each enumeration reads and scores 256 lists at a time, and only these are in memory.
    /// </summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <returns>The rewards of each list, in the order of the lists.</returns>
    /// <inheritdoc cref="Score(IReadOnlyList{RankedList}, IProgress{ListProgress}, CancellationToken)" path="/exception"/>
    public IEnumerable<float[]> Score(IEnumerable<RankedList> lists, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ThrowIfDisposed();
        return lists.Chunk(GroupSize).SelectMany(group => Score(group, progress: null, cancellationToken));
    }

    /// <summary>Scores answers to one prompt on a thread-pool thread.</summary>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">At least one answer.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public Task<float[]> ScoreAsync(string prompt, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        var list = ListOf(prompt, answers);
        ThrowIfDisposed();
        return Task.Run(() => Score(list, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Scores answers of the assistant to a conversation on a thread-pool thread.
    /// </summary>
    /// <param name="conversation">The messages before the answers.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <inheritdoc cref="Score(Conversation, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public Task<float[]> ScoreAsync(
        Conversation conversation, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        var list = ListOf(conversation, answers);
        ThrowIfDisposed();
        return Task.Run(() => Score(list, cancellationToken), cancellationToken);
    }

    /// <summary>Scores lists all at once on a thread-pool thread.</summary>
    /// <inheritdoc cref="Score(IReadOnlyList{RankedList}, IProgress{ListProgress}, CancellationToken)"/>
    public Task<float[][]> ScoreAsync(
        IReadOnlyList<RankedList> lists, IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckNoneIsNull(lists, nameof(lists));
        ThrowIfDisposed();
        return Task.Run(() => Score(lists, progress, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Scores a sequence of any length while it is enumerated: 256 lists are scored together, on a thread of the thread pool, while at
    /// most 256 more are read. So a list waits for those after it; one that must not is scored by a call of its own.
    /// </summary>
    /// <param name="lists">Lists of text or of conversations; their scores are ignored.</param>
    /// <param name="cancellationToken">Ends the reading, and the computation before its next batch.</param>
    /// <returns>The rewards of each list, in the order of the lists.</returns>
    /// <inheritdoc cref="Score(IReadOnlyList{RankedList}, IProgress{ListProgress}, CancellationToken)" path="/exception"/>
    public IAsyncEnumerable<float[]> ScoreAsync(IAsyncEnumerable<RankedList> lists, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ThrowIfDisposed();
        return ScoreGroupsAsync(lists, cancellationToken);
    }

    private async IAsyncEnumerable<float[]> ScoreGroupsAsync(
        IAsyncEnumerable<RankedList> lists, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ahead = Channel.CreateBounded<RankedList>(new BoundedChannelOptions(GroupSize) { SingleReader = true, SingleWriter = true });
        var reading = Task.Run(ReadAsync, CancellationToken.None);
        try
        {
            // Groups of the same lists however fast they come: the same rewards to the bit.
            while (await NextGroupAsync().ConfigureAwait(false) is { Count: > 0 } group)
                foreach (var rewards in await ScoreAsync(group, progress: null, stop.Token).ConfigureAwait(false))
                    yield return rewards;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }

        // Its own errors go to the reader.
        async Task ReadAsync()
        {
            try
            {
                await foreach (var list in lists.WithCancellation(stop.Token).ConfigureAwait(false))
                    await ahead.Writer.WriteAsync(list, stop.Token).ConfigureAwait(false);
                ahead.Writer.Complete();
            }
            catch (Exception e)
            {
                ahead.Writer.Complete(e);
            }
        }

        async Task<List<RankedList>> NextGroupAsync()
        {
            var group = new List<RankedList>(GroupSize);
            while (group.Count < GroupSize && await ahead.Reader.WaitToReadAsync(stop.Token).ConfigureAwait(false))
                while (group.Count < GroupSize && ahead.Reader.TryRead(out var list))
                    group.Add(list);
            return group;
        }
    }

    private float[] Score(RankedList list, CancellationToken cancellationToken) =>
        Score((IReadOnlyList<RankedList>)[list], progress: null, cancellationToken)[0];

    internal static RankedList ListOf(string prompt, IReadOnlyList<string> answers) => RankedList.BestFirst(prompt, answers);

    internal static RankedList ListOf(Conversation conversation, IReadOnlyList<string> answers)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        return RankedList.OfChat(
            new RankedChat(
                conversation,
                [
                    .. RankedList.CheckedAnswers(answers, nameof(answers))
                        .Select(answer => (IReadOnlyList<ChatMessage>)[new ChatMessage("assistant", answer)]),
                ]),
            RankedList.ScoresOfOrder(answers.Count));
    }
}
