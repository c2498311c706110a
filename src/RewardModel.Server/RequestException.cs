namespace RewardModel.Server;

/// <summary>A request that can't be answered. Its message is meant for the client: no paths, no stack traces.</summary>
/// <param name="status">The HTTP status: 400 wrong request, 404 no such model, 413 too large, 429 too many, 503 shutting down, 504 too late.</param>
/// <param name="code">What went wrong, for programs: <c>snake_case</c>.</param>
/// <param name="message">What was found, what was expected and what to do.</param>
internal sealed class RequestException(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    /// <summary>After how many seconds the client should try again; null where that is no use.</summary>
    public int? RetryAfterSeconds { get; init; }
}
