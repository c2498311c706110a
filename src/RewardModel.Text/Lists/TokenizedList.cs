namespace RewardModel.Lists;

/// <summary>A <see cref="RankedList"/> as token ids.</summary>
/// <param name="PromptIds">
/// Token ids of the prompt, special tokens around it included; may be empty. It is the whole prompt, also where it had to be cut for some
/// of its answers, or for all of them: what an answer is read with is <see cref="PromptOf"/>.
/// </param>
/// <param name="AnswerIds">Token ids of each of the K answers, special tokens at its end included; at least one id each.</param>
/// <param name="Scores">K scores, higher is better; equal scores are ties.</param>
/// <param name="Source">Where the list was read from.</param>
public sealed record TokenizedList(
    int[] PromptIds, IReadOnlyList<int[]> AnswerIds, IReadOnlyList<double> Scores, SourceLine Source = default)
{
    /// <summary>K scores, higher is better; equal scores are ties.</summary>
    public IReadOnlyList<double> Scores { get; init => (field, ScoresAreOrder) = (value, false); } = Scores;

    /// <inheritdoc cref="RankedList.ScoresAreOrder"/>
    public bool ScoresAreOrder { get; init; }

    /// <inheritdoc cref="RankedList.Margin"/>
    public double? Margin { get; init => field = ListNotes.CheckedMargin(value); }

    /// <inheritdoc cref="RankedList.Weight"/>
    public double Weight { get; init => field = ListNotes.CheckedWeight(value); } = 1;

    /// <inheritdoc cref="RankedList.Group"/>
    public string? Group { get; init; }

    /// <inheritdoc cref="RankedList.Attributes"/>
    public IReadOnlyList<IReadOnlyDictionary<string, double>>? Attributes { get; init; }

    /// <summary>Token type of the answers' tokens, which BERT-like encoders embed; prompts have type 0.</summary>
    public int AnswerTokenType { get; init; }

    /// <summary>
    /// Whether a chat template made the text: true for conversations, false for plain text, null for lists that came as token ids.
    /// </summary>
    public bool? IsChat { get; init; }

    /// <summary>
    /// For each of the K answers the prompt that it is read with where that is another than <see cref="PromptIds"/>, mostly because these
    /// had to be cut to fit together with it; null for an answer that is read with <see cref="PromptIds"/>. Null where all of them are.
    /// </summary>
    public IReadOnlyList<int[]?>? OwnPromptIds { get; init; }

    /// <summary>The prompt's ids that an answer is read with.</summary>
    /// <param name="answer">The answer's index.</param>
    public int[] PromptOf(int answer) => OwnPromptIds?[answer] ?? PromptIds;

    /// <summary>The same list with some of its answers only.</summary>
    /// <param name="answers">Their indices, in the order that they are to have.</param>
    public TokenizedList WithAnswers(IReadOnlyList<int> answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        return this with
        {
            AnswerIds = [.. answers.Select(answer => AnswerIds[answer])],
            Scores = [.. answers.Select(answer => Scores[answer])],
            ScoresAreOrder = ScoresAreOrder,
            Attributes = Attributes is null ? null : [.. answers.Select(answer => Attributes[answer])],
            OwnPromptIds = OwnPromptIds is null ? null : [.. answers.Select(answer => OwnPromptIds[answer])],
        };
    }

    /// <summary>
    /// For each answer the index of the first one that is read as the same tokens, prompt included: its own, if none before it is. Null
    /// where no two answers are equal. See <see cref="Lists.EqualAnswers"/>.
    /// </summary>
    public int[]? EqualAnswers()
    {
        int[]? firstEqual = null;
        var different = new HashSet<int>(AnswerIds.Count, new SameTokens(this));
        for (var k = 0; k < AnswerIds.Count; k++)
            if (!different.Add(k))
            {
                firstEqual ??= [.. Enumerable.Range(0, AnswerIds.Count)];
                different.TryGetValue(k, out firstEqual[k]);
            }
        return firstEqual;
    }

    /// <summary>
    /// Whether an answer is the beginning of the next one, as the steps of a solution are: where a token sees only those before it, its reward is
    /// read within that one.
    /// </summary>
    internal bool IsContinued(int answer) =>
        answer + 1 < AnswerIds.Count && AnswerIds[answer].Length < AnswerIds[answer + 1].Length
        && AnswerIds[answer + 1].AsSpan().StartsWith(AnswerIds[answer])
        && PromptOf(answer).AsSpan().SequenceEqual(PromptOf(answer + 1));

    /// <summary>
    /// Whether two answers are the same tokens with their prompts before them. Where these end makes no difference but for token types.
    /// </summary>
    private bool AreEqual(int first, int second)
    {
        var (firstPrompt, secondPrompt) = (PromptOf(first), PromptOf(second));
        if (firstPrompt == secondPrompt)
            return AnswerIds[first].AsSpan().SequenceEqual(AnswerIds[second]);
        return firstPrompt.Length + AnswerIds[first].Length == secondPrompt.Length + AnswerIds[second].Length
            && (AnswerTokenType == 0 || firstPrompt.Length == secondPrompt.Length)
            && firstPrompt.Concat(AnswerIds[first]).SequenceEqual(secondPrompt.Concat(AnswerIds[second]));
    }

    /// <summary>The different prompts that the answers are read with, and for each answer the index of its prompt among them.</summary>
    internal (IReadOnlyList<int[]> Prompts, int[] PromptOfAnswer) DistinctPrompts()
    {
        if (OwnPromptIds is null)
            return ([PromptIds], new int[AnswerIds.Count]);
        var prompts = new List<int[]>();
        var promptOfAnswer = new int[AnswerIds.Count];
        for (var k = 0; k < promptOfAnswer.Length; k++)
        {
            var prompt = PromptOf(k);
            promptOfAnswer[k] = prompts.FindIndex(other => other == prompt || other.AsSpan().SequenceEqual(prompt));
            if (promptOfAnswer[k] < 0)
            {
                promptOfAnswer[k] = prompts.Count;
                prompts.Add(prompt);
            }
        }
        return (prompts, promptOfAnswer);
    }

    /// <summary>Compares answers, given by their indices, so that thousands of them take no time for each pair.</summary>
    private sealed class SameTokens(TokenizedList list) : IEqualityComparer<int>
    {
        public bool Equals(int x, int y) => list.AreEqual(x, y);

        public int GetHashCode(int obj)
        {
            var hash = new HashCode();
            if (list.OwnPromptIds is not null)
                foreach (var id in list.PromptOf(obj))
                    hash.Add(id);
            foreach (var id in list.AnswerIds[obj])
                hash.Add(id);
            return hash.ToHashCode();
        }
    }
}
