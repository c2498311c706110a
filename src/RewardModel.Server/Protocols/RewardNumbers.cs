using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace RewardModel.Server.Protocols;

/// <summary>
/// Numbers of responses: the shortest decimal that parses back to the same number, and always a decimal, as Python writes them: clients
/// make tensors of what they read, and <c>[1, 2]</c> would become one of integers.
/// </summary>
internal static class RewardNumbers
{
    public static JsonNode Of(float number) => Json(number.ToString("R", CultureInfo.InvariantCulture));

    public static JsonNode Of(double number) => Json(number.ToString("R", CultureInfo.InvariantCulture));

    public static JsonArray Of(IEnumerable<float> numbers) => [.. numbers.Select(Of)];

    public static JsonArray Of(IEnumerable<double> numbers) => [.. numbers.Select(Of)];

    public static double Sigmoid(double number) => 1 / (1 + Math.Exp(-number));

    /// <summary>The result, when JSON can hold its rewards.</summary>
    /// <exception cref="RequestException">500: a reward is not finite.</exception>
    public static ScoringResult Checked(ScoringResult result)
    {
        for (var i = 0; i < result.Lists.Count; i++)
            for (var k = 0; k < result.Lists[i].Answers.Count; k++)
                if (result.Lists[i].Answers[k] is var answer
                    && !(float.IsFinite(answer.Reward) && float.IsFinite(answer.StandardDeviation ?? 0)))
                    throw new RequestException(
                        StatusCodes.Status500InternalServerError, "reward_not_finite",
                        $"The reward of answer {k + 1} of input {i + 1} is {answer.Reward.ToString(CultureInfo.InvariantCulture)}; "
                        + "expected a finite number, as JSON has no other. The model computes no reward of it: inspect its weights.");
        return result;
    }

    private static JsonNode Json(string number) => JsonNode.Parse(number.AsSpan().ContainsAny('.', 'E') ? number : $"{number}.0")!;
}
