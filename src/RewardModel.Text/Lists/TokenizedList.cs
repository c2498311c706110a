namespace RewardModel.Lists;

/// <summary>A <see cref="RankedList"/> as token ids.</summary>
/// <param name="PromptIds">Token ids of the prompt, special tokens around it included; may be empty.</param>
/// <param name="AnswerIds">Token ids of each of the K answers, special tokens at its end included; at least one id each.</param>
/// <param name="Scores">K scores, higher is better; equal scores are ties.</param>
/// <param name="Source">Where the list was read from.</param>
public sealed record TokenizedList(
    int[] PromptIds, IReadOnlyList<int[]> AnswerIds, IReadOnlyList<double> Scores, SourceLine Source = default)
{
    /// <summary>Token type of the answers' tokens, which BERT-like encoders embed; prompts have type 0.</summary>
    public int AnswerTokenType { get; init; }
}
