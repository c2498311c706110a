using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using RewardModel.Client;
using RewardModel.Lists;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace ServeAndRank;

/// <summary>
/// The reward of a response as a metric of Microsoft.Extensions.AI.Evaluation, beside those of other evaluators. It asks no language model,
/// so it needs no <see cref="ChatConfiguration"/>. A file to copy: it needs the packages RewardModel.Client and
/// Microsoft.Extensions.AI.Evaluation.
/// </summary>
/// <remarks>
/// <para>
/// Only text is read. Reasoning (<see cref="TextReasoningContent"/>) and <see cref="UsageContent"/> are left out: they are no part of the
/// answer. Any other content, such as images and calls of tools, leaves the metric without a value and with an error: the reward of the
/// rest would be that of another conversation.
/// </para>
/// <para>
/// Roles go to the chat template by their names. A single message of the user is sent as text, which every model reads as it was trained
/// to; for longer conversations the model must have a chat template.
/// </para>
/// <para>What the server refuses is thrown (<see cref="RewardServiceException"/>), as from other evaluators that call a service.</para>
/// </remarks>
/// <param name="client">Calls the server.</param>
/// <param name="threshold">
/// The least reward that passes; null: rewards are not interpreted. Training fixes only differences of rewards, so take it from the rewards
/// of responses that are known to be good or bad.
/// </param>
public sealed class RewardEvaluator(RewardClient client, double? threshold = null) : IEvaluator
{
    /// <summary>The metric: a number, higher is better.</summary>
    public const string MetricName = "Reward";

    /// <inheritdoc/>
    public IReadOnlyCollection<string> EvaluationMetricNames { get; } = [MetricName];

    /// <inheritdoc/>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages, ChatResponse modelResponse, ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(modelResponse);
        ChatMessage[] conversation = [.. messages];
        var metric = new NumericMetric(MetricName);
        var problems = Problems(conversation, modelResponse).ToArray();
        if (problems.Length > 0)
        {
            metric.AddDiagnostics(problems.Select(EvaluationDiagnostic.Error));
            return new EvaluationResult(metric);
        }
        var scored = await ScoreAsync(conversation, modelResponse.Text, cancellationToken).ConfigureAwait(false);
        metric.Value = scored.Reward;
        metric.Interpretation = Interpretation(scored.Reward);
        if (scored.WasCut)
            metric.AddDiagnostics(EvaluationDiagnostic.Warning(
                "Conversation and response are too long for the model, which has read a part of them."));
        return new EvaluationResult(metric);
    }

    private async Task<AnswerReward> ScoreAsync(ChatMessage[] messages, string answer, CancellationToken cancellationToken)
    {
        var scored = messages is [var single] && single.Role == ChatRole.User
            ? await client.ScoreAsync(single.Text, [answer], cancellationToken).ConfigureAwait(false)
            : await client.ScoreAsync(
                new Conversation([.. messages.Select(message => new RewardModel.Lists.ChatMessage(message.Role.Value, message.Text))]),
                [answer], cancellationToken).ConfigureAwait(false);
        return scored[0];
    }

    private EvaluationMetricInterpretation? Interpretation(float reward) => threshold switch
    {
        null => null,
        { } least when reward >= least => new(EvaluationRating.Good, failed: false, $"The reward is at least {least}."),
        { } least => new(EvaluationRating.Unacceptable, failed: true, $"The reward is below {least}."),
    };

    /// <summary>Why there is no reward.</summary>
    private static IEnumerable<string> Problems(ChatMessage[] messages, ChatResponse response)
    {
        if (messages.Length == 0)
            yield return "There are no messages; expected those that the response answers.";
        if (response.Text.Length == 0)
            yield return "The response has no text; expected some.";
        foreach (var (place, parts) in messages.Select((message, i) => ($"Message {i + 1}", message.Contents))
            .Concat(response.Messages.Select(message => ("The response", message.Contents))))
            foreach (var part in parts)
                if (part is not (TextContent or TextReasoningContent or UsageContent))
                    yield return $"{place} has a {part.GetType().Name}; expected text, as the reward model reads nothing else.";
    }
}
