using RewardModel.Lists;

namespace RewardModel.Scoring;

/// <summary>
/// An answer with its reward, as <see cref="RewardModelExtensions.Rank(IRewardModel, string, IReadOnlyList{string})"/> gives it.
/// </summary>
/// <param name="Index">Its place among the answers that were ranked, from 0.</param>
/// <param name="Text">The answer.</param>
/// <param name="Reward">Its reward; higher is better.</param>
public readonly record struct RankedAnswer(int Index, string Text, float Reward);

/// <summary>Ranking, for every reward model.</summary>
public static class RewardModelExtensions
{
    /// <summary>Ranks answers to one prompt: best-of-n is the first of them.</summary>
    /// <param name="model">Scores the answers.</param>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">At least one answer.</param>
    /// <returns>The answers, best first; those with the same reward in the order in which they were given.</returns>
    /// <inheritdoc cref="IRewardModel.Score(string, IReadOnlyList{string})" path="/exception"/>
    public static IReadOnlyList<RankedAnswer> Rank(this IRewardModel model, string prompt, params IReadOnlyList<string> answers)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Ranked(answers, model.Score(prompt, answers));
    }

    /// <summary>Ranks answers of the assistant to a conversation.</summary>
    /// <param name="model">Scores the answers.</param>
    /// <param name="conversation">The messages before the answers.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <inheritdoc cref="Rank(IRewardModel, string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    public static IReadOnlyList<RankedAnswer> Rank(
        this IRewardModel model, Conversation conversation, params IReadOnlyList<string> answers)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Ranked(answers, model.Score(conversation, answers));
    }

    /// <summary>Ranks answers to one prompt on a thread-pool thread.</summary>
    /// <param name="model">Scores the answers.</param>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">At least one answer.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <inheritdoc cref="Rank(IRewardModel, string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    public static async Task<IReadOnlyList<RankedAnswer>> RankAsync(
        this IRewardModel model, string prompt, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Ranked(answers, await model.ScoreAsync(prompt, answers, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Ranks answers of the assistant to a conversation on a thread-pool thread.</summary>
    /// <param name="model">Scores the answers.</param>
    /// <param name="conversation">The messages before the answers.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <inheritdoc cref="Rank(IRewardModel, string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    public static async Task<IReadOnlyList<RankedAnswer>> RankAsync(
        this IRewardModel model, Conversation conversation, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Ranked(answers, await model.ScoreAsync(conversation, answers, cancellationToken).ConfigureAwait(false));
    }

    private static RankedAnswer[] Ranked(IReadOnlyList<string> answers, float[] rewards) =>
    [
        .. rewards.Select((reward, i) => new RankedAnswer(i, answers[i], reward)).OrderByDescending(answer => answer.Reward),
    ];
}
