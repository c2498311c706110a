using System.Text.Json;
using System.Text.Json.Serialization;

namespace RewardModel.Training.Reporting;

/// <summary>How reports, options and states are written as JSON: enums by name, and numbers that are not finite too.</summary>
internal static class ReportJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };
}
