using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace RewardModel.Server.Hosting;

/// <summary>Errors as clients get them: <c>{"error":{"message":...,"type":...,"code":...}}</c>.</summary>
internal static class ErrorResponse
{
    /// <summary>Writes an error.</summary>
    public static Task WriteAsync(HttpContext context, RequestException exception)
    {
        if (exception.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        context.Response.StatusCode = exception.Status;
        return context.Response.WriteAsJsonAsync(new JsonObject
        {
            ["error"] = new JsonObject
            {
                ["message"] = exception.Message,
                ["type"] = exception.Status switch
                {
                    401 => "authentication_error",
                    429 => "rate_limit_error",
                    >= 500 => "server_error",
                    _ => "invalid_request_error",
                },
                ["code"] = exception.Code,
            },
        });
    }

    /// <summary>What a status says that came without a text.</summary>
    public static RequestException Of(int status) => status switch
    {
        400 => new(status, "bad_request", "The request can't be read; expected what the documentation of this path says."),
        404 => new(status, "not_found", "There is no such path."),
        405 => new(status, "method_not_allowed", "This path takes other methods: those of the header Allow."),
        408 => new(status, "too_slow", "The request came too slowly."),
        413 => new(status, "too_large", "The request has more bytes than this server takes. Divide it into several requests."),
        415 => new(status, "unsupported_media_type", "The request's content type can't be read; expected application/json."),
        >= 500 => new(status, "internal_error", "The server failed. Its log says why."),
        _ => new(status, "bad_request", $"{ReasonPhrases.GetReasonPhrase(status)}."),
    };
}
