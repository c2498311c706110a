namespace RewardModel.Lists;

/// <summary>
/// One prompt, its K answers as text, and how good each answer is. The collections are kept, not copied: they must not change afterwards.
/// </summary>
/// <param name="Prompt">The prompt; may be empty.</param>
/// <param name="Answers">K answers, at least one, in the order in which their rewards are reported. A text may be empty.</param>
/// <param name="Scores">
/// K finite scores, higher is better; equal scores are ties. Only their order counts in a ranking loss without margins. <c>with</c> may
/// replace them by as many others.
/// </param>
/// <param name="Source">Where the list was read from.</param>
/// <exception cref="ArgumentNullException">Prompt, answers, scores or one of the answers is null.</exception>
/// <exception cref="ArgumentException">
/// There is no answer, or there are more or fewer scores than answers, or scores that are not finite.
/// </exception>
public sealed record RankedList(string Prompt, IReadOnlyList<string> Answers, IReadOnlyList<double> Scores, SourceLine Source = default)
{
    /// <summary>The prompt.</summary>
    public string Prompt { get; } = Prompt ?? throw new ArgumentNullException(nameof(Prompt));

    /// <summary>K answers.</summary>
    public IReadOnlyList<string> Answers { get; } = CheckedAnswers(Answers, nameof(Answers));

    /// <summary>K scores, higher is better.</summary>
    public IReadOnlyList<double> Scores
    {
        get;
        init => (field, ScoresAreOrder) = (CheckedScores(value, Answers.Count), false);
    } = CheckedScores(Scores, Answers.Count);

    /// <summary>
    /// Whether the scores say the order of the answers only, as those of lists that are given best first or with ranks do: how far two of them
    /// are apart means nothing then. New scores are taken to be more than an order unless it is said again.
    /// </summary>
    public bool ScoresAreOrder { get; init; }

    /// <summary>
    /// By how much the rewards of this list's pairs should be apart, 0 or more; null where the data don't say it. Losses use it when they are
    /// asked to (<c>--margin column</c>).
    /// </summary>
    /// <exception cref="ArgumentException">The margin is negative or not finite.</exception>
    public double? Margin { get; init => field = ListNotes.CheckedMargin(value); }

    /// <summary>What the list's loss is multiplied with; 1 unless the data say otherwise.</summary>
    /// <exception cref="ArgumentException">The weight is not a positive finite number.</exception>
    public double Weight { get; init => field = ListNotes.CheckedWeight(value); } = 1;

    /// <summary>
    /// What the list belongs to, such as a data set, an annotator or a language; null where the data don't say it. Lists are split and
    /// metrics divided by it when they are asked to (<c>--group-by</c>).
    /// </summary>
    public string? Group { get; init; }

    /// <summary>
    /// For each of the K answers its attributes by their names, such as <c>helpfulness</c>: finite numbers, on whatever scale the data have
    /// them. An attribute that an answer was not rated by is not among its own. Null where the data have none. They have no part in the
    /// order of the answers; heads with an output for each are trained on them (<c>--pointwise attributes</c>).
    /// </summary>
    /// <exception cref="ArgumentException">There are more or fewer than answers, or numbers that are not finite.</exception>
    public IReadOnlyList<IReadOnlyDictionary<string, double>>? Attributes
    {
        get;
        init => field = ListNotes.CheckedAttributes(value, Answers.Count);
    }

    /// <summary>The list as a conversation; null where prompt and answers are plain text. Then they are its messages as JSON.</summary>
    public RankedChat? Chat { get; private init; }

    /// <summary>
    /// Whether the only answer is the whole of what the model reads: there is no prompt, and special tokens in the text are found.
    /// </summary>
    internal bool IsWholeText { get; init; }

    /// <summary>Whether the only answer has attributes and neither a score nor a rank, so that its score says nothing.</summary>
    internal bool IsUnscored { get; init; }

    /// <summary>
    /// The steps that the answers are, of one solution: each answer is then the beginning of the next one, their scores are the steps' labels,
    /// and all are read within the longest. Null where the answers stand by themselves.
    /// </summary>
    internal StepEnds? Steps { get; init; }

    /// <summary>
    /// The steps of one solution, which process supervision trains on: an answer for each step that has a label, the text up to its end, with the
    /// label as its score. Where the text is encoded, none of them is a text by itself: a step's reward is read at the token that ends it.
    /// </summary>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="steps">The texts of the steps, none of them empty.</param>
    /// <param name="labels">How good each step is, such as 1 or 0; null of a step without a label, which is read and not scored.</param>
    /// <param name="separator">
    /// What every step ends with; the name of a special token of the tokenizer is that token there. Empty where the texts have it already.
    /// </param>
    /// <param name="source">Where the list was read from.</param>
    /// <exception cref="ArgumentNullException">An argument or a step is null.</exception>
    /// <exception cref="ArgumentException">There are more or fewer labels than steps, a step is empty, or no step has a label.</exception>
    /// <example>
    /// <code>
    /// var list = RankedList.OfSteps("What is 2 + 3 * 4?", ["3 * 4 is 12.", "2 + 12 is 15."], [1, 0]);
    /// Console.WriteLine(list.Answers[1]); // both steps, each with a line break behind it
    /// </code>
    /// </example>
    public static RankedList OfSteps(
        string prompt, IReadOnlyList<string> steps, IReadOnlyList<double?> labels, string separator = "\n", SourceLine source = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(separator);
        CheckedAnswers(steps, nameof(steps));
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Count != steps.Count)
            throw new ArgumentException(
                $"There {Counted.Verb(labels.Count, "is", "are")} {Counted.Of(labels.Count, "label")} for {Counted.Of(steps.Count, "step")}; expected one for each step, or null.", nameof(labels));
        var (texts, scores, unlabelled) = (new List<string>(), new List<double>(), new List<int>());
        var text = "";
        for (var i = 0; i < steps.Count; i++)
        {
            if (steps[i].Length == 0)
                throw new ArgumentException($"Step {i + 1} of {steps.Count} is empty; expected a text.", nameof(steps));
            text += steps[i] + separator;
            if (labels[i] is not { } label)
            {
                unlabelled.Add(text.Length);
                continue;
            }
            texts.Add(text);
            scores.Add(label);
        }
        return texts.Count > 0
            ? new RankedList(prompt, texts, scores, source) { Steps = new StepEnds(separator) { Unlabelled = unlabelled } }
            : throw new ArgumentException("No step has a label; expected one at least.", nameof(labels));
    }

    /// <summary>An answer of this list as a list of the steps that end with a separator, and itself.</summary>
    /// <param name="answer">The answer's index.</param>
    /// <param name="text">Its text.</param>
    /// <param name="separator">At least one character.</param>
    internal RankedList StepsOf(int answer, string text, string separator)
    {
        string[] texts = [.. StepEnds.In(text, separator).Select(end => text[..end]), text];
        var scores = new double[texts.Length];
        var list = Chat is null
            ? new RankedList(Prompt, texts, scores, Source)
            : OfChat(new RankedChat(Chat.Prompt, [.. texts.Select(step => RankedChat.WithText(Chat.Answers[answer], step))]), scores, Source);
        return list with { Steps = new StepEnds(separator) { HasWholeAnswer = true } };
    }

    /// <summary>A list of text as answers of the assistant to a conversation.</summary>
    internal RankedList AnswersTo(Conversation conversation) =>
        OfChat(
            new RankedChat(conversation, [.. Answers.Select(answer => (IReadOnlyList<ChatMessage>)[new ChatMessage("assistant", answer)])]),
            Scores, Source)
        with
        { ScoresAreOrder = ScoresAreOrder, Margin = Margin, Weight = Weight, Group = Group, Attributes = Attributes, Steps = Steps };

    /// <summary>The first of the steps that the answers are.</summary>
    internal RankedList FirstSteps(int count)
    {
        var first = Chat is null
            ? new RankedList(Prompt, [.. Answers.Take(count)], [.. Scores.Take(count)], Source)
            : OfChat(Chat with { Answers = [.. Chat.Answers.Take(count)] }, [.. Scores.Take(count)], Source);
        return first with
        {
            ScoresAreOrder = ScoresAreOrder,
            Margin = Margin,
            Weight = Weight,
            Group = Group,
            Attributes = Attributes is null ? null : [.. Attributes.Take(count)],
            Steps = Steps,
        };
    }

    /// <summary>A list of conversations: a chat template makes text of it.</summary>
    /// <param name="chat">The conversation and its K answers.</param>
    /// <param name="scores">K finite scores, higher is better.</param>
    /// <param name="source">Where the list was read from.</param>
    /// <exception cref="ArgumentNullException">The conversation or the scores are null.</exception>
    /// <exception cref="ArgumentException">There are more or fewer scores than answers, or scores that are not finite.</exception>
    public static RankedList OfChat(RankedChat chat, IReadOnlyList<double> scores, SourceLine source = default)
    {
        ArgumentNullException.ThrowIfNull(chat);
        ArgumentNullException.ThrowIfNull(scores);
        return new RankedList(JsonOf(chat.Prompt.Messages), [.. chat.Answers.Select(JsonOf)], scores, source) { Chat = chat };
    }

    /// <summary>
    /// The list as a conversation: its prompt as one message of the user, its answers as messages of the assistant. A list that is one stays
    /// as it is.
    /// </summary>
    public RankedList AsChat() => Chat is null ? AnswersTo(new Conversation([new ChatMessage("user", Prompt)])) : this;

    /// <summary>
    /// A list whose answers are given best first, without ties: scores K-1, K-2, ..., 0, of which <see cref="ScoresAreOrder"/> is true.
    /// </summary>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">K answers, at least one.</param>
    /// <exception cref="ArgumentNullException">The prompt, the answers or one of them is null.</exception>
    /// <exception cref="ArgumentException">There is no answer.</exception>
    /// <example>
    /// <code>
    /// var list = RankedList.BestFirst("Which is larger, 3 or 5?", "5 is larger.", "5", "3 is larger.");
    /// Console.WriteLine(string.Join(", ", list.Scores)); // 2, 1, 0
    /// </code>
    /// </example>
    public static RankedList BestFirst(string prompt, params IReadOnlyList<string> answers)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return new RankedList(prompt, CheckedAnswers(answers, nameof(answers)), ScoresOfOrder(answers.Count)) { ScoresAreOrder = true };
    }

    /// <summary>The scores that stand for "best first": count-1, ..., 1, 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public static double[] ScoresOfOrder(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var scores = new double[count];
        for (var i = 0; i < count; i++)
            scores[i] = count - 1 - i;
        return scores;
    }

    /// <summary>The answers, when there is at least one and none of them is null.</summary>
    internal static IReadOnlyList<string> CheckedAnswers(IReadOnlyList<string> answers, string name)
    {
        ArgumentNullException.ThrowIfNull(answers, name);
        if (answers.Count == 0)
            throw new ArgumentException("There are no answers; expected at least one.", name);
        for (var i = 0; i < answers.Count; i++)
            if (answers[i] is null)
                throw new ArgumentNullException(name, $"Answer {i + 1} of {answers.Count} is null; expected a text, which may be empty.");
        return answers;
    }

    private static IReadOnlyList<double> CheckedScores(IReadOnlyList<double> scores, int answerCount)
    {
        ArgumentNullException.ThrowIfNull(scores, nameof(Scores));
        if (scores.Count != answerCount)
            throw new ArgumentException(
                $"There {(scores.Count == 1 ? "is 1 score" : $"are {scores.Count} scores")} for {answerCount} "
                + $"{(answerCount == 1 ? "answer" : "answers")}; expected one score for each answer.",
                nameof(Scores));
        for (var i = 0; i < scores.Count; i++)
            if (!double.IsFinite(scores[i]))
                throw new ArgumentException($"Score {i + 1} of {scores.Count} is {scores[i]}; expected a finite number.", nameof(Scores));
        return scores;
    }

    private static string JsonOf(IReadOnlyList<ChatMessage> messages) =>
        $"[{string.Join(", ", messages.Select(message => message.Json.GetRawText()))}]";
}
