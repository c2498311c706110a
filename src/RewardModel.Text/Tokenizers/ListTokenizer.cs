using RewardModel.Lists;

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
        var pairs = encoded.Select(pair => (pair.PromptIds, pair.AnswerIds)).ToArray();
        var cut = encoded.Select(pair => pair.Truncated).ToArray();
        var shared = SharedPrompt(pairs, rule);
        var tokenized = new TokenizedList(shared, [], list.Scores, list.Source)
        {
            AnswerTokenType = rule.AnswerTokenType,
            ScoresAreOrder = list.ScoresAreOrder,
            Margin = list.Margin,
            Weight = list.Weight,
            Group = list.Group,
        };
        return (
            ListTruncation.WithPairs(tokenized, [.. pairs.Zip(cut, (whole, pair) => Share(whole.PromptIds, pair))]),
            ListTruncation.Count(pairs, cut));

        // A prompt that was cut is its answer's own, and so is one that is followed by a separator and differs.
        (int[], int[]) Share(int[] whole, (int[] PromptIds, int[] AnswerIds) pair) =>
            pair.PromptIds != whole || !whole.AsSpan().StartsWith(shared) ? pair
            : whole.Length == shared.Length ? (shared, pair.AnswerIds)
            : CanMove(rule) ? (shared, [.. whole[shared.Length..], .. pair.AnswerIds])
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
