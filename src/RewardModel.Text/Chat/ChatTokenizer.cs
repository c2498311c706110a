using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Chat;

/// <summary>Turns ranked lists of conversations into token ids.</summary>
/// <remarks>
/// Every answer is rendered with its prompt, and the ids are those of the whole text; so nothing depends on where prompt and answer are
/// told apart, and what a tokenizer does at the start of a text it does there only. The prompt of a list is what the K renderings and
/// that of the prompt alone, which ends with the template's invitation to the assistant, have in common at their start. Templates whose
/// rendering of prompt and answer doesn't start with that of the prompt (because they write earlier messages in another way once there
/// is an answer) are split there, too. For an encoder, which separates a pair of texts, both are encoded apart.
/// Special tokens of the rule that the template itself writes at the start or at the end (with white space after it at most) are not
/// put there again.
/// </remarks>
internal sealed class ChatTokenizer
{
    private readonly HuggingFaceTokenizer tokenizer;
    private readonly ChatTemplate template;
    private readonly SpecialTokenRule rule;
    private readonly int maxLength;

    /// <param name="tokenizer">What encodes the texts.</param>
    /// <param name="template">What renders the messages.</param>
    /// <param name="rule">The special tokens around prompts and answers.</param>
    /// <param name="maxLength">The most tokens that a prompt and one of its answers may have together, special tokens included.</param>
    public ChatTokenizer(HuggingFaceTokenizer tokenizer, ChatTemplate template, SpecialTokenRule rule, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(template);
        (this.tokenizer, this.template, this.rule, this.maxLength) = (tokenizer, template, rule, maxLength);
    }

    /// <summary>The list as token ids that fit the maximum length, and what had to be cut.</summary>
    /// <param name="list">A list that is a conversation.</param>
    /// <exception cref="TokenizerException">The template rejects the conversation, or answers have no tokens.</exception>
    public (TokenizedList List, TruncationCount Cut) Tokenize(RankedList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var chat = list.Chat ?? throw new ArgumentException("The list is no conversation.", nameof(list));
        RenderedText[] renderings;
        try
        {
            renderings =
            [
                Render(chat.Prompt, addGenerationPrompt: true),
                .. chat.Answers.Select(answer => Render(
                    chat.Prompt with { Messages = [.. chat.Prompt.Messages, .. answer] }, addGenerationPrompt: false)),
            ];
        }
        catch (ChatTemplateException exception)
        {
            throw new TokenizerException(list.Source.ToString(), [exception.Message]);
        }
        var start = CommonStart(renderings);
        var (promptIds, answerIds) = rule.AfterPrompt.Count > 0 ? IdsOfPairs(renderings, start) : IdsOfWholes(renderings, start);
        var tails = answerIds.Select(EndOf).ToArray();
        answerIds = [.. answerIds.Zip(tails, (ids, tail) => tail is null ? [.. ids, .. rule.AfterAnswer] : ids)];
        ListTokenizer.CheckAnswers(list, answerIds);
        var tokenized = new TokenizedList(promptIds, answerIds, list.Scores, list.Source) { AnswerTokenType = rule.AnswerTokenType };
        var kept = tails[0] is { } end && tails.All(tail => tail?.SequenceEqual(end) == true) ? rule with { AfterAnswer = end } : rule;
        return new ListTruncation(kept.Count < maxLength ? kept : rule, maxLength).Truncate(tokenized);
    }

    private RenderedText Render(Conversation conversation, bool addGenerationPrompt) =>
        template.Render(conversation, addGenerationPrompt, tokenizer.SpecialTokens);

    private static int CommonStart(RenderedText[] renderings)
    {
        var first = renderings[0].Text;
        var length = renderings.Min(rendering => first.AsSpan().CommonPrefixLength(rendering.Text));
        return length > 0 && length < first.Length && char.IsHighSurrogate(first[length - 1]) ? length - 1 : length;
    }

    private (int[] PromptIds, int[][] AnswerIds) IdsOfWholes(RenderedText[] renderings, int start)
    {
        var prompt = tokenizer.Encode(renderings[0].Part(0, start));
        var wholes = renderings.Skip(1).Select(rendering => tokenizer.Encode(rendering).ToArray()).ToArray();
        var length = wholes.Min(whole => whole.AsSpan().CommonPrefixLength([.. prompt]));
        var before = wholes.All(whole => whole.AsSpan().StartsWith([.. rule.BeforePrompt])) ? [] : rule.BeforePrompt;
        return ([.. before, .. prompt.Take(length)], [.. wholes.Select(whole => whole[length..])]);
    }

    private (int[] PromptIds, int[][] AnswerIds) IdsOfPairs(RenderedText[] renderings, int start)
    {
        int[] prompt = [.. tokenizer.Encode(renderings[0].Part(0, start))];
        var before = prompt.AsSpan().StartsWith([.. rule.BeforePrompt]) ? [] : rule.BeforePrompt;
        return (
            [.. before, .. prompt, .. rule.AfterPrompt],
            [.. renderings.Skip(1).Select(rendering =>
                tokenizer.Encode(rendering.Part(start, rendering.Text.Length - start)).ToArray())]);
    }

    /// <summary>The ids from the special tokens on that the template writes at the end; null where it writes none.</summary>
    private int[]? EndOf(int[] ids)
    {
        var index = rule.AfterAnswer.Count == 0 ? -1 : ids.AsSpan().LastIndexOf([.. rule.AfterAnswer]);
        return index >= 0 && string.IsNullOrWhiteSpace(tokenizer.Decode(ids[(index + rule.AfterAnswer.Count)..], skipSpecialTokens: false))
            ? ids[index..]
            : null;
    }
}
