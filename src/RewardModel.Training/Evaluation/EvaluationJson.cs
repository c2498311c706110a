using System.Text.Json;
using System.Text.Json.Serialization;

namespace RewardModel.Training.Evaluation;

/// <summary>How evaluations and comparisons are written as JSON.</summary>
internal static class EvaluationJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };
}
