using RewardModel.Jinja;

namespace RewardModel.Tokenizers;

/// <summary>A prompt and one answer to it as they are encoded, with their special tokens, before anything is cut.</summary>
/// <param name="PromptIds">The prompt's ids.</param>
/// <param name="AnswerIds">The answer's ids.</param>
/// <param name="Truncation">Cuts them.</param>
internal sealed record EncodedPair(int[] PromptIds, int[] AnswerIds, ListTruncation Truncation)
{
    /// <summary>The conversation that they are of; null of plain text.</summary>
    public RenderedText? Rendering { get; init; }

    /// <summary>Where in <see cref="Rendering"/> the answer begins.</summary>
    public int RenderedStart { get; init; }

    /// <summary>Of a step the whole answer, whose beginning it is and with which it is cut; null of an answer by itself.</summary>
    public EncodedPair? Whole { get; init; }

    /// <summary>What is cut.</summary>
    public PairCut Cut
    {
        get
        {
            if (Whole is null)
                return Truncation.CutOf(PromptIds, AnswerIds);
            var cut = Whole.Cut;
            return IsCutOff ? cut with { AnswerCount = AnswerIds.Length - cut.AnswerStart } : cut with { AnswerStart = AnswerIds.Length, AnswerCount = 0 };
        }
    }

    /// <summary>Whether it is a step of which the end is cut off.</summary>
    public bool IsCutOff => Whole?.Cut is { AnswerCount: > 0 } cut && AnswerIds.Length > cut.AnswerStart;

    /// <summary>What is left.</summary>
    public (int[] PromptIds, int[] AnswerIds) Truncated => ListTruncation.Truncate(PromptIds, AnswerIds, Cut);
}

/// <summary>Which ids are taken out of a prompt and of an answer to it.</summary>
/// <param name="PromptStart">Index of the prompt's first.</param>
/// <param name="PromptCount">How many of the prompt.</param>
/// <param name="AnswerStart">Index of the answer's first.</param>
/// <param name="AnswerCount">How many of the answer.</param>
internal readonly record struct PairCut(int PromptStart, int PromptCount, int AnswerStart, int AnswerCount);
