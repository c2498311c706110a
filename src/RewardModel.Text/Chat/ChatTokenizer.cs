using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Chat;

/// <summary>Turns ranked lists of conversations into token ids.</summary>
/// <remarks>
/// Every answer is rendered with its prompt, and the ids are those of the whole text; so nothing depends on where prompt and answer are
/// told apart, and what a tokenizer does at the start of a text it does there only. The prompt of an answer is what its rendering and
/// that of the prompt alone, which ends with the template's invitation to the assistant, have in common at their start; templates whose
/// rendering of prompt and answer doesn't start with that of the prompt (because they write earlier messages in another way once there
/// is an answer) are split there, too. What the answers of a list share is told by <see cref="ListTokenizer"/>, as for plain text. For an
/// encoder, which separates a pair of texts, both are encoded apart.
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
        return ListTokenizer.ListOf(list, PairsOf(list), rule);
    }

    /// <summary>Each answer with its prompt, before anything is cut.</summary>
    /// <inheritdoc cref="Tokenize"/>
    public IReadOnlyList<EncodedPair> PairsOf(RankedList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var chat = list.Chat ?? throw new ArgumentException("The list is no conversation.", nameof(list));
        RenderedText[] renderings;
        try
        {
            renderings =
            [
                Render(chat.Prompt, addGenerationPrompt: true),
                .. (list.Steps is null ? chat.Answers : [chat.Answers[^1]]).Select(answer => Render(
                    chat.Prompt with { Messages = [.. chat.Prompt.Messages, .. answer] }, addGenerationPrompt: false)),
            ];
        }
        catch (ChatTemplateException exception)
        {
            throw new TokenizerException(list.Source.ToString(), [exception.Message]);
        }
        if (list.Steps is not null)
            return StepPairs(list, list.Steps, renderings[0], renderings[1]);
        var pairs = rule.AfterPrompt.Count > 0
            ? Pairs(renderings[0], renderings[1..])
            : [.. renderings.Skip(1).Select(rendering => JointPair(renderings[0], rendering))];
        return ListTokenizer.Checked(list, [.. pairs.Zip(renderings.Skip(1), WithEnd).Select(pair => pair with { RenderedStart = CommonStart(renderings[0], pair.Rendering!) })]);
    }

    private EncodedPair WithEnd((int[] PromptIds, int[] AnswerIds) pair, RenderedText rendering)
    {
        var tail = EndOf(pair.AnswerIds);
        return new EncodedPair(
            pair.PromptIds, tail is null ? [.. pair.AnswerIds, .. rule.AfterAnswer] : pair.AnswerIds, TruncationOf(tail))
        {
            Rendering = rendering,
        };
    }

    private RenderedText Render(Conversation conversation, bool addGenerationPrompt) =>
        template.Render(conversation, addGenerationPrompt, tokenizer.SpecialTokens);

    private static int CommonStart(RenderedText prompt, RenderedText whole)
    {
        var length = prompt.Text.AsSpan().CommonPrefixLength(whole.Text);
        return length > 0 && length < prompt.Text.Length && char.IsHighSurrogate(prompt.Text[length - 1]) ? length - 1 : length;
    }

    private (int[] PromptIds, int[] AnswerIds) JointPair(RenderedText prompt, RenderedText whole)
    {
        var (ids, promptCount) = tokenizer.EncodeParts(whole, CommonStart(prompt, whole));
        return Divided(ids, promptCount);
    }

    private (int[] PromptIds, int[] AnswerIds) Divided(int[] ids, int promptCount)
    {
        var before = ids.AsSpan().StartsWith([.. rule.BeforePrompt]) ? [] : rule.BeforePrompt;
        return ([.. before, .. ids[..promptCount]], ids[promptCount..]);
    }

    /// <summary>The steps of a solution, the ends of which are looked for in its rendering.</summary>
    private IReadOnlyList<EncodedPair> StepPairs(RankedList list, StepEnds steps, RenderedText prompt, RenderedText whole)
    {
        if (rule.AfterPrompt.Count > 0)
            throw new TokenizerException(list.Source.ToString(), [ListTokenizer.NoSteps]);
        string[] texts = [.. list.Chat!.Answers.Select(answer => RankedChat.TextOf(answer) ?? throw ListTokenizer.NoTextOf(list))];
        var start = CommonStart(prompt, whole);
        var place = ContentPlace.In(whole.Text, start, texts[^1]) ?? throw new TokenizerException(
            list.Source.ToString(),
            ["the chat template changes the answer's text, so that the ends of its steps can't be found in it; expected one that leaves it as it is"]);
        var marks = Array.ConvertAll(texts, text => Place(text.Length));
        var (ids, promptCount, counts) = tokenizer.EncodeParts(whole, start, new EndMarks(marks, steps.Separator, [.. steps.Unlabelled.Select(Place)]));
        return ListTokenizer.StepsOf(
            list, steps, WithEnd(Divided(ids, promptCount), whole) with { RenderedStart = start }, Array.ConvertAll(counts, count => count - promptCount));

        int Place(int end) => place.Start + Math.Clamp(end - place.First, 0, place.Length);
    }

    private (int[] PromptIds, int[] AnswerIds)[] Pairs(RenderedText prompt, RenderedText[] wholes)
    {
        var promptIds = new Dictionary<int, int[]>();
        return [.. wholes.Select(whole =>
        {
            var start = CommonStart(prompt, whole);
            if (!promptIds.TryGetValue(start, out var ids))
            {
                ids = [.. tokenizer.Encode(prompt.Part(0, start))];
                var before = ids.AsSpan().StartsWith([.. rule.BeforePrompt]) ? [] : rule.BeforePrompt;
                promptIds.Add(start, ids = [.. before, .. ids, .. rule.AfterPrompt]);
            }
            return (ids, (int[])[.. tokenizer.Encode(whole.Part(start, whole.Text.Length - start))]);
        })];
    }

    /// <summary>Keeps the special tokens that the template writes at the end of an answer, if there is room for them.</summary>
    private ListTruncation TruncationOf(int[]? tail)
    {
        var kept = tail is null ? rule : rule with { AfterAnswer = tail };
        return new ListTruncation(kept.Count < maxLength ? kept : rule, maxLength);
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
