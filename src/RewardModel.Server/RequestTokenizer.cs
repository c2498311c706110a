using RewardModel.Chat;
using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Server;

/// <summary>A list as the model reads it.</summary>
/// <param name="List">Its token ids, cut to the maximum length.</param>
/// <param name="WereCut">For each answer whether it or its prompt was too long.</param>
internal sealed record TokenizedInput(TokenizedList List, IReadOnlyList<bool> WereCut);

/// <summary>
/// What requests ask for as token ids, by the rule of a model: the ids are those of <see cref="ScoringModel.Tokenize"/> and
/// <see cref="ScoringModel.Truncate"/>, but requests may ask for a smaller maximum length, and are told which answers were cut. Thread-safe.
/// </summary>
internal sealed class RequestTokenizer
{
    private readonly ScoringModel model;
    private readonly int vocabularySize;

    /// <summary>A template that can't be used is no trouble until there is a conversation.</summary>
    private readonly Lazy<ChatTemplate?> template;

    /// <param name="model">The model.</param>
    /// <param name="vocabularySize">Ids are below this.</param>
    public RequestTokenizer(ScoringModel model, int vocabularySize)
    {
        (this.model, this.vocabularySize) = (model, vocabularySize);
        template = new Lazy<ChatTemplate?>(
            () => model.Rule.ChatTemplate is { } text && model.Tokenizer is not null ? new ChatTemplate(text) : null);
    }

    /// <summary>Tokenises all inputs of a request.</summary>
    /// <param name="inputs">Texts, conversations or token ids.</param>
    /// <param name="maxLength">
    /// The most tokens of prompt and answer together, where it is below the model's own limit; null: the model's.
    /// </param>
    /// <param name="cancellationToken">Ends the work before the next input.</param>
    /// <exception cref="RequestException">Inputs can't be read: the first of them are named.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public TokenizedInput[] Tokenize(IReadOnlyList<ScoringInput> inputs, int? maxLength, CancellationToken cancellationToken)
    {
        var rule = model.Rule;
        if (maxLength <= rule.SpecialTokens.Count)
            throw new RequestException(
                400, "bad_max_length",
                $"The maximum length is {maxLength}; expected at least {rule.SpecialTokens.Count + 1}, "
                + "for the special tokens and an answer.");
        var reader = new Reader(this, Math.Min(maxLength ?? rule.MaxLength, rule.MaxLength));
        var read = Batch.Map(
            [.. inputs.Select((input, i) => (input, i))], get_num_threads(), item => reader.TryRead(item.input, item.i),
            cancellationToken: cancellationToken);
        const int mostNamed = 5;
        var problems = read.Select(item => item.Problem).OfType<RequestException>().ToArray();
        return problems.Length == 0
            ? [.. read.Select(item => item.Input!)]
            : throw new RequestException(
                problems[0].Status, problems[0].Code,
                string.Join(" ", problems.Take(mostNamed).Select(problem => problem.Message))
                + (problems.Length > mostNamed ? $" And {problems.Length - mostNamed} more inputs." : ""));
    }

    /// <summary>Reads the inputs of one request.</summary>
    private sealed class Reader(RequestTokenizer owner, int maxLength)
    {
        private readonly SpecialTokenRule specialTokens = owner.model.Rule.SpecialTokens;
        private readonly ListTruncation truncation = new(owner.model.Rule.SpecialTokens, maxLength);

        public (TokenizedInput? Input, RequestException? Problem) TryRead(ScoringInput input, int index)
        {
            try
            {
                return (input.TokenIds is { } ids ? Read(ids, index) : Read(input.Text!, index), null);
            }
            catch (RequestException problem)
            {
                return (null, problem);
            }
        }

        private TokenizedInput Read(TokenizedList list, int index)
        {
            foreach (var (ids, place) in list.AnswerIds.Select((ids, k) => (ids, $"answer {k + 1}")).Prepend((list.PromptIds, "prompt")))
                if (ids.Length == 0 && ids != list.PromptIds)
                    throw new RequestException(
                        400, "empty_answer", $"Input {index + 1}, {place}: there are no token ids; expected at least one.");
                else if (ids.AsSpan().IndexOfAnyExceptInRange(0, owner.vocabularySize - 1) is >= 0 and var at)
                    throw new RequestException(
                        400, "bad_token_id",
                        $"Input {index + 1}, {place}: token id {at + 1} of {ids.Length} is {ids[at]}; "
                        + $"the model's are 0 to {owner.vocabularySize - 1}.");
            var cut = truncation.Truncate(list with { AnswerTokenType = specialTokens.AnswerTokenType }).List;
            // What is not cut is the same array.
            return new TokenizedInput(
                cut, [.. list.AnswerIds.Select((answer, k) => cut.AnswerIds[k] != answer || cut.PromptOf(k) != list.PromptOf(k))]);
        }

        private TokenizedInput Read(RankedList list, int index)
        {
            if (owner.model.Tokenizer is not { } tokenizer)
                throw new RequestException(
                    400, "no_tokenizer", $"Input {index + 1} is text, and the model has no tokenizer; expected token ids.");
            var read = owner.model.ToScore([list])[0];
            try
            {
                var texts = new ListTokenizer(tokenizer, specialTokens, maxLength, owner.model.Rule.Encoding);
                var pairs = read.Chat is null ? texts.PairsOf(read)
                    : new ChatTokenizer(tokenizer, TemplateFor(index), specialTokens, maxLength).PairsOf(read);
                var (tokenized, _) = read.IsWholeText ? texts.Tokenize(read) : ListTokenizer.ListOf(read, pairs, specialTokens);
                return new TokenizedInput(
                    tokenized, [.. pairs.Select(pair => pair.Cut is { PromptCount: > 0 } or { AnswerCount: > 0 })]);
            }
            catch (TokenizerException exception)
            {
                throw new RequestException(400, "bad_text", $"Input {index + 1}: {string.Join("; ", exception.Problems)}.");
            }
        }

        private ChatTemplate TemplateFor(int index)
        {
            try
            {
                return owner.template.Value ?? throw new RequestException(
                    400, "no_chat_template",
                    $"Input {index + 1} is a conversation, and the model has no chat template; expected text or token ids.");
            }
            catch (ChatTemplateException exception)
            {
                throw new RequestException(
                    400, "bad_chat_template",
                    $"Input {index + 1} is a conversation, and the model's chat template can't be used ({exception.Message}); "
                    + "expected text or token ids.");
            }
        }
    }
}
