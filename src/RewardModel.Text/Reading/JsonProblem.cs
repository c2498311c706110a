using System.Text.Json;
using RewardModel.Files;

namespace RewardModel.Reading;

/// <summary>Words what is wrong with JSON that was read into a type, without the names of types, which a file knows nothing of.</summary>
internal static class JsonProblem
{
    /// <summary>One sentence without a full stop.</summary>
    public static string Of(JsonException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        // The serializer's own messages; converters and readers write others.
        return exception.Message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal)
            ? $"the value of {Quoted.Text(exception.Path ?? "$")} is of another type, or a number that is too large or not whole"
            : Quoted.Cut(exception.Message.TrimEnd('.'), longest: 400);
    }
}
