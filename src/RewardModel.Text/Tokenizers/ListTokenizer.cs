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
        return ListOf(
            list, rule.AfterPrompt.Count > 0 || encoding == TextEncoding.Separate ? Pairs(list) : [.. list.Answers.Select(JointPair)],
            rule, _ => truncation);

        (int[], int[]) JointPair(string answer)
        {
            var (ids, promptCount) = tokenizer.EncodeParts(list.Prompt, answer);
            return ([.. rule.BeforePrompt, .. ids[..promptCount]], [.. ids[promptCount..], .. rule.AfterAnswer]);
        }
    }

    /// <summary>A list of answers, each with its prompt.</summary>
    /// <param name="list">Where they come from.</param>
    /// <param name="pairs">Prompt and answer as they are encoded, not cut, with their special tokens.</param>
    /// <param name="rule">The special tokens around prompts and answers.</param>
    /// <param name="truncationOf">Cuts the answer of an index and its prompt.</param>
    /// <exception cref="TokenizerException">Answers have no tokens.</exception>
    internal static (TokenizedList List, TruncationCount Cut) ListOf(
        RankedList list, IReadOnlyList<(int[] PromptIds, int[] AnswerIds)> pairs, SpecialTokenRule rule,
        Func<int, ListTruncation> truncationOf)
    {
        CheckAnswers(list, pairs);
        var cut = pairs.Select((pair, k) => truncationOf(k).Truncate(pair.PromptIds, pair.AnswerIds)).ToArray();
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

    private (int[] PromptIds, int[] AnswerIds)[] Pairs(RankedList list)
    {
        var texts = tokenizer.PlainTextTokenizer;
        int[] promptIds = [.. rule.BeforePrompt, .. texts.EncodeToIds(list.Prompt), .. rule.AfterPrompt];
        return [.. list.Answers.Select(answer => (promptIds, (int[])[.. texts.EncodeToIds(answer), .. rule.AfterAnswer]))];
    }

    private static int[] SharedPrompt(IReadOnlyList<(int[] PromptIds, int[] AnswerIds)> pairs, SpecialTokenRule rule)
    {
        var first = pairs[0].PromptIds;
        return CanMove(rule) ? first[..pairs.Min(pair => first.AsSpan().CommonPrefixLength(pair.PromptIds))] : first;
    }

    /// <summary>Whether it is the same to a model if a token is the prompt's last or the answer's first.</summary>
    private static bool CanMove(SpecialTokenRule rule) => rule is { AfterPrompt.Count: 0, AnswerTokenType: 0 };

    private static void CheckAnswers(RankedList list, IReadOnlyList<(int[] PromptIds, int[] AnswerIds)> pairs)
    {
        string[] problems =
        [
            .. from i in Enumerable.Range(0, pairs.Count)
               where pairs[i].AnswerIds.Length == 0
               select $"answer {i + 1} of {pairs.Count} has no tokens, expected at least one; give it text or remove it",
        ];
        if (problems.Length > 0)
            throw new TokenizerException(list.Source.ToString(), problems);
    }
}
