namespace RewardModel.Training.Evaluation;

/// <summary>A pair of answers to look at, as the model reads it.</summary>
/// <param name="Source">Where the list was read from.</param>
/// <param name="Group">What it belongs to; null where the data don't say.</param>
/// <param name="Prompt">The prompt's tokens as text, with special ones; of a long one the beginning and the end.</param>
/// <param name="Better">The answer with the higher score.</param>
/// <param name="Worse">The other one.</param>
public sealed record ShownPair(string Source, string? Group, ShownTokens Prompt, ShownAnswer Better, ShownAnswer Worse);

/// <summary>An answer of a pair.</summary>
/// <param name="Tokens">Its tokens: the reward is read at the last one.</param>
/// <param name="Score">Its score in the data.</param>
/// <param name="Reward">Its reward.</param>
public sealed record ShownAnswer(ShownTokens Tokens, double Score, float Reward);

/// <summary>A run of tokens as text.</summary>
/// <param name="Start">The first tokens, one text each.</param>
/// <param name="LeftOutCount">How many tokens after them are not shown.</param>
/// <param name="End">The tokens after those.</param>
/// <param name="CutCount">How many tokens a prompt lost at the maximum length; 0 for an answer, of which that is not kept.</param>
public sealed record ShownTokens(IReadOnlyList<string> Start, int LeftOutCount, IReadOnlyList<string> End, int CutCount)
{
    /// <summary>Tokens that the model reads.</summary>
    public int Count => Start.Count + LeftOutCount + End.Count;
}
