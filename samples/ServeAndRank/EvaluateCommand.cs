using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using RewardModel.Client;

namespace ServeAndRank;

/// <summary>Evaluates a response to a prompt, as tests and reports of Microsoft.Extensions.AI.Evaluation do.</summary>
internal static class EvaluateCommand
{
    public static async Task RunAsync(RewardClient client, string prompt, string answer, double? threshold)
    {
        var evaluator = new RewardEvaluator(client, threshold);
        // In an application the messages are those that an IChatClient was sent, and the response is what it gave.
        ChatMessage[] messages = [new(ChatRole.User, prompt)];
        var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, answer));

        var result = await evaluator.EvaluateAsync(messages, response);

        var metric = result.Get<NumericMetric>(RewardEvaluator.MetricName);
        Console.WriteLine($"{metric.Name}: {metric.Value:F4}");
        if (metric.Interpretation is { } interpretation)
            Console.WriteLine($"{(interpretation.Failed ? "failed" : "passed")}: {interpretation.Reason}");
        foreach (var diagnostic in metric.Diagnostics ?? [])
            Console.WriteLine($"{diagnostic.Severity}: {diagnostic.Message}");
    }
}
