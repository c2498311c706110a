using System.Globalization;
using System.Text.Json.Nodes;

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

    private static JsonNode Json(string number) => JsonNode.Parse(number.AsSpan().ContainsAny('.', 'E') ? number : $"{number}.0")!;
}
