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

    /// <summary>What is cut.</summary>
    public PairCut Cut => Truncation.CutOf(PromptIds, AnswerIds);

    /// <summary>What is left.</summary>
    public (int[] PromptIds, int[] AnswerIds) Truncated => Truncation.Truncate(PromptIds, AnswerIds);
}

/// <summary>Which ids are taken out of a prompt and of an answer to it.</summary>
/// <param name="PromptStart">Index of the prompt's first.</param>
/// <param name="PromptCount">How many of the prompt.</param>
/// <param name="AnswerStart">Index of the answer's first.</param>
/// <param name="AnswerCount">How many of the answer.</param>
internal readonly record struct PairCut(int PromptStart, int PromptCount, int AnswerStart, int AnswerCount);
