namespace RewardModel.Tokenizers;

/// <summary>
/// The special tokens around a prompt and its answer. A reward depends on it, so it is part of what is saved with a reward model.
/// Two rules are equal if their ids are.
/// </summary>
/// <param name="BeforePrompt">The ids before the prompt's text, such as that of the beginning of a sequence.</param>
/// <param name="AfterPrompt">The ids between the prompt's text and the answer's, which encoders have: that of <c>[SEP]</c>.</param>
/// <param name="AfterAnswer">The ids after the answer's text, such as that of the end of a sequence.</param>
/// <param name="AnswerTokenType">The token type of the answer and the ids after it, which BERT-like encoders embed; else 0.</param>
/// <exception cref="ArgumentNullException">One of the lists of ids is null.</exception>
public sealed record SpecialTokenRule(
    IReadOnlyList<int> BeforePrompt, IReadOnlyList<int> AfterPrompt, IReadOnlyList<int> AfterAnswer, int AnswerTokenType = 0)
{
    /// <summary>The ids before the prompt's text.</summary>
    public IReadOnlyList<int> BeforePrompt { get; init => field = Checked(value, nameof(BeforePrompt)); } =
        Checked(BeforePrompt, nameof(BeforePrompt));

    /// <summary>The ids between the prompt's text and the answer's.</summary>
    public IReadOnlyList<int> AfterPrompt { get; init => field = Checked(value, nameof(AfterPrompt)); } =
        Checked(AfterPrompt, nameof(AfterPrompt));

    /// <summary>The ids after the answer's text.</summary>
    public IReadOnlyList<int> AfterAnswer { get; init => field = Checked(value, nameof(AfterAnswer)); } =
        Checked(AfterAnswer, nameof(AfterAnswer));

    /// <summary>The token type of the answer and the ids after it.</summary>
    public int AnswerTokenType { get; init; } = AnswerTokenType;

    /// <summary>No special tokens.</summary>
    public static SpecialTokenRule None { get; } = new([], [], []);

    /// <summary>How many tokens it adds to a prompt and one answer.</summary>
    internal int Count => BeforePrompt.Count + AfterPrompt.Count + AfterAnswer.Count;

    /// <inheritdoc/>
    public bool Equals(SpecialTokenRule? other) =>
        other is not null && BeforePrompt.SequenceEqual(other.BeforePrompt) && AfterPrompt.SequenceEqual(other.AfterPrompt)
        && AfterAnswer.SequenceEqual(other.AfterAnswer) && AnswerTokenType == other.AnswerTokenType;

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var id in (int[])[.. BeforePrompt, .. AfterPrompt, .. AfterAnswer, AnswerTokenType])
            hash.Add(id);
        return hash.ToHashCode();
    }

    private static IReadOnlyList<int> Checked(IReadOnlyList<int> ids, string name) => ids ?? throw new ArgumentNullException(name);
}
