using RewardModel.Lists;

namespace RewardModel.Scoring;

/// <summary>
/// A model that scores answers: the part of <see cref="ScoringModel"/> that an application depends on and can replace in its tests.
/// Thread-safe. <c>services.AddRewardModel</c> registers one.
/// </summary>
public interface IRewardModel
{
    /// <summary>Scores answers to one prompt.</summary>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">At least one answer.</param>
    /// <returns>One reward for each answer, in the order of the answers; higher is better.</returns>
    /// <exception cref="ArgumentNullException">The prompt, the answers or one of them is null.</exception>
    /// <exception cref="ArgumentException">There is no answer.</exception>
    float[] Score(string prompt, params IReadOnlyList<string> answers);

    /// <summary>Scores answers of the assistant to a conversation, rendered by the model's chat template.</summary>
    /// <param name="conversation">The messages before the answers.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    float[] Score(Conversation conversation, params IReadOnlyList<string> answers);

    /// <summary>Scores answers to one prompt on a thread-pool thread.</summary>
    /// <param name="prompt">The prompt; may be empty.</param>
    /// <param name="answers">At least one answer.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<float[]> ScoreAsync(string prompt, IReadOnlyList<string> answers, CancellationToken cancellationToken = default);

    /// <summary>
    /// Scores answers of the assistant to a conversation on a thread-pool thread.
    /// </summary>
    /// <param name="conversation">The messages before the answers.</param>
    /// <param name="answers">At least one answer: the text of the assistant's message.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    /// <inheritdoc cref="Score(string, IReadOnlyList{string})" path="/*[self::returns or self::exception]"/>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<float[]> ScoreAsync(Conversation conversation, IReadOnlyList<string> answers, CancellationToken cancellationToken = default);
}
