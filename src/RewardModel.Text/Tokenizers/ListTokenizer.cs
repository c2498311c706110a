using RewardModel.Jinja;
using RewardModel.Lists;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers;

/// <summary>Turns ranked lists of plain text into token ids. The names of special tokens in the texts are text.</summary>
/// <remarks>
/// In the joint encoding every answer is encoded together with its prompt, as one text. The tokens that lie wholly in the prompt are the
/// prompt's, all others the answer's; so are, in a list, the prompt's last tokens if they are others before another answer: what the
/// answers of a list share is what they all start with. That doesn't change what an answer is read with, nor where it is cut.
/// </remarks>
internal sealed class ListTokenizer
{
    private readonly HuggingFaceTokenizer tokenizer;
    private readonly SpecialTokenRule rule;
    private readonly TextEncoding encoding;
    private readonly ListTruncation truncation;

    /// <summary>Why an encoder has no steps.</summary>
    internal const string NoSteps =
        "steps of a solution, for which an encoder has no rewards, as it reads an answer as a whole; expected a causal model, or answers by themselves";

    /// <param name="tokenizer">What encodes the texts.</param>
    /// <param name="rule">The special tokens around prompts and answers.</param>
    /// <param name="maxLength">The most tokens that a prompt and one of its answers may have together, special tokens included.</param>
    /// <param name="encoding">Whether prompt and answer are one text; of no account if the rule has tokens between them.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> leaves no token for an answer's text.</exception>
    public ListTokenizer(
        HuggingFaceTokenizer tokenizer, SpecialTokenRule rule, int maxLength, TextEncoding encoding = TextEncoding.Joint)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        this.tokenizer = tokenizer;
        this.rule = rule;
        this.encoding = encoding;
        truncation = new ListTruncation(rule, maxLength);
    }

    /// <summary>The list as token ids that fit the maximum length, and what had to be cut.</summary>
    /// <exception cref="TokenizerException">Answers have no tokens, and no special token is appended to them.</exception>
    public (TokenizedList List, TruncationCount Cut) Tokenize(RankedList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var pairs = PairsOf(list);
        return list.IsWholeText
            ? truncation.Truncate(new TokenizedList(pairs[0].PromptIds, [pairs[0].AnswerIds], list.Scores, list.Source))
            : ListOf(list, pairs, rule);
    }

    /// <summary>Each answer with its prompt, before anything is cut.</summary>
    /// <exception cref="TokenizerException">Answers have no tokens, and no special token is appended to them.</exception>
    public IReadOnlyList<EncodedPair> PairsOf(RankedList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        if (list.IsWholeText)
            return [WholePair(list)];
        if (list.Steps is not null)
            return StepPairs(list, list.Steps);
        return Checked(
            list, rule.AfterPrompt.Count > 0 || encoding == TextEncoding.Separate ? Pairs(list) : [.. list.Answers.Select(JointPair)]);

        EncodedPair JointPair(string answer)
        {
            var (ids, promptCount) = tokenizer.EncodeParts(list.Prompt, answer);
            return new EncodedPair(
                [.. rule.BeforePrompt, .. ids[..promptCount]], [.. ids[promptCount..], .. rule.AfterAnswer], truncation);
        }
    }

    /// <summary>A list of answers, each with its prompt.</summary>
    /// <param name="list">Where they come from.</param>
    /// <param name="encoded">Prompts and answers, not cut, with their special tokens.</param>
    /// <param name="rule">The special tokens around prompts and answers.</param>
    internal static (TokenizedList List, TruncationCount Cut) ListOf(
        RankedList list, IReadOnlyList<EncodedPair> encoded, SpecialTokenRule rule)
    {
        // Steps are parts of one answer.
        var whole = list.Steps is null ? encoded : [encoded[^1].Whole ?? encoded[^1]];
        var count = ListTruncation.Count(
            [.. whole.Select(pair => (pair.PromptIds, pair.AnswerIds))], [.. whole.Select(pair => pair.Truncated)]);
        // Steps follow each other, so that those of which the end is cut off are the last ones.
        EncodedPair[] kept = [.. encoded.Where(pair => !pair.IsCutOff)];
        if (kept.Length == 0)
            throw new TokenizerException(
                list.Source.ToString(),
                ["all steps with a label end behind the tokens that are left of the text, expected one at least; give a larger maximum length"]);
        var pairs = kept.Select(pair => (pair.PromptIds, pair.AnswerIds)).ToArray();
        var cut = kept.Select(pair => pair.Truncated).ToArray();
        var shared = SharedPrompt(pairs, rule);
        var tokenized = new TokenizedList(shared, [], kept.Length == encoded.Count ? list.Scores : [.. list.Scores.Take(kept.Length)], list.Source)
        {
            AnswerTokenType = rule.AnswerTokenType,
            ScoresAreOrder = list.ScoresAreOrder,
            Margin = list.Margin,
            Weight = list.Weight,
            Group = list.Group,
            Attributes = list.Attributes is null ? null : [.. list.Attributes.Take(kept.Length)],
        };
        return (
            ListTruncation.WithPairs(tokenized, [.. pairs.Zip(cut, (uncut, pair) => Share(uncut.PromptIds, pair))]),
            count);

        // A prompt that was cut is its answer's own, and so is one that is followed by a separator and differs.
        (int[], int[]) Share(int[] prompt, (int[] PromptIds, int[] AnswerIds) pair) =>
            pair.PromptIds != prompt || !prompt.AsSpan().StartsWith(shared) ? pair
            : prompt.Length == shared.Length ? (shared, pair.AnswerIds)
            : CanMove(rule) ? (shared, [.. prompt[shared.Length..], .. pair.AnswerIds])
            : pair;
    }

    /// <summary>The pairs, when every answer has tokens.</summary>
    /// <exception cref="TokenizerException">Answers have none.</exception>
    internal static IReadOnlyList<EncodedPair> Checked(RankedList list, IReadOnlyList<EncodedPair> pairs)
    {
        string[] problems =
        [
            .. from i in Enumerable.Range(0, pairs.Count)
               where pairs[i].AnswerIds.Length == 0
               select $"answer {i + 1} of {pairs.Count} has no tokens, expected at least one; give it text or remove it",
        ];
        return problems.Length == 0 ? pairs : throw new TokenizerException(list.Source.ToString(), problems);
    }

    /// <summary>The steps of a solution that is encoded as a whole, each up to the token that ends it.</summary>
    /// <param name="list">The list.</param>
    /// <param name="steps">How its steps end.</param>
    /// <param name="whole">Prompt and solution.</param>
    /// <param name="counts">For each step how many ids of the solution there are up to its end.</param>
    /// <exception cref="TokenizerException">The solution has no tokens.</exception>
    internal static IReadOnlyList<EncodedPair> StepsOf(RankedList list, StepEnds steps, EncodedPair whole, IReadOnlyList<int> counts) => Checked(
        list,
        [
            .. counts.Select((count, k) => steps.HasWholeAnswer && k == counts.Count - 1
                ? whole
                : new EncodedPair(whole.PromptIds, whole.AnswerIds[..Math.Min(whole.AnswerIds.Length, Math.Max(1, count))], whole.Truncation) { Whole = whole, Rendering = whole.Rendering }),
        ]);

    /// <summary>An answer has no text to find steps in.</summary>
    internal static TokenizerException NoTextOf(RankedList list) =>
        new(list.Source.ToString(), ["an answer that is not one message whose content is text, expected one to find steps in"]);

    private IReadOnlyList<EncodedPair> StepPairs(RankedList list, StepEnds steps)
    {
        if (rule.AfterPrompt.Count > 0)
            throw new TokenizerException(list.Source.ToString(), [NoSteps]);
        var prompt = encoding == TextEncoding.Joint ? WellFormedText.Of(list.Prompt) : "";
        var (ids, promptCount, counts) = tokenizer.EncodeParts(
            RenderedText.OfData(prompt + WellFormedText.Of(list.Answers[^1])), prompt.Length,
            new EndMarks(
                [.. list.Answers.Select(answer => prompt.Length + answer.Length)], steps.Separator,
                [.. steps.Unlabelled.Select(end => prompt.Length + end)]));
        IReadOnlyList<int> promptIds = encoding == TextEncoding.Joint ? ids[..promptCount] : tokenizer.PlainTextTokenizer.EncodeToIds(list.Prompt);
        var whole = new EncodedPair([.. rule.BeforePrompt, .. promptIds], [.. ids[promptCount..], .. rule.AfterAnswer], truncation);
        return StepsOf(list, steps, whole, Array.ConvertAll(counts, count => count - promptCount));
    }

    /// <summary>One text as it stands: special tokens in it are found, and those of the rule are put around it where it has none.</summary>
    private EncodedPair WholePair(RankedList list)
    {
        int[] ids = [.. tokenizer.Encode(list.Answers[0], addSpecialTokens: false)];
        int[] before = [.. rule.BeforePrompt], after = [.. rule.AfterAnswer];
        if (ids.AsSpan().StartsWith(before))
            ids = ids[before.Length..];
        if (!ids.AsSpan().EndsWith(after))
            ids = [.. ids, .. after];
        if (ids.Length == 0)
            throw new TokenizerException(list.Source.ToString(), ["the text has no tokens, expected at least one"]);
        return new EncodedPair(before, ids, truncation);
    }

    private EncodedPair[] Pairs(RankedList list)
    {
        var texts = tokenizer.PlainTextTokenizer;
        int[] promptIds = [.. rule.BeforePrompt, .. texts.EncodeToIds(list.Prompt), .. rule.AfterPrompt];
        return
        [
            .. list.Answers.Select(answer => new EncodedPair(promptIds, [.. texts.EncodeToIds(answer), .. rule.AfterAnswer], truncation)),
        ];
    }

    private static int[] SharedPrompt((int[] PromptIds, int[] AnswerIds)[] pairs, SpecialTokenRule rule)
    {
        var first = pairs[0].PromptIds;
        return CanMove(rule) ? first[..pairs.Min(pair => first.AsSpan().CommonPrefixLength(pair.PromptIds))] : first;
    }

    /// <summary>Whether it is the same to a model if a token is the prompt's last or the answer's first.</summary>
    private static bool CanMove(SpecialTokenRule rule) => rule is { AfterPrompt.Count: 0, AnswerTokenType: 0 };
}
