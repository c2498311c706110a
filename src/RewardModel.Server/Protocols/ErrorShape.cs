using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace RewardModel.Server.Protocols;

/// <summary>How the clients of a protocol expect errors.</summary>
/// <param name="Body">The body of a response that says what went wrong.</param>
/// <param name="Schema">What it looks like.</param>
internal sealed record ErrorShape(Func<RequestException, JsonObject> Body, Func<OpenApiSchema> Schema)
{
    /// <summary><c>{"error": {"code", "message"}}</c>: our own.</summary>
    public static ErrorShape Own { get; } = new(
        error => new JsonObject
        {
            ["error"] = new JsonObject { ["code"] = error.Code, ["message"] = error.Message },
        },
        () => Schemas.ObjectOf(("error", Schemas.ObjectOf(
            ("code", Schemas.Text("What went wrong, for programs.")),
            ("message", Schemas.Text("What was found, what was expected and what to do."))))));

    /// <summary><c>{"detail"}</c>: that of FastAPI, with which OpenRLHF's and LLaMA-Factory's servers are written.</summary>
    public static ErrorShape Detail { get; } = new(
        error => new JsonObject { ["detail"] = error.Message },
        () => Schemas.ObjectOf(("detail", Schemas.Text("What was found, what was expected and what to do."))));

    /// <summary><c>{"error": {"message", "type", "param", "code"}}</c>: vLLM's, where the code is the status.</summary>
    public static ErrorShape Vllm { get; } = new(
        error => new JsonObject
        {
            ["error"] = new JsonObject
            {
                ["message"] = error.Message,
                ["type"] = TypeOf(error.Status),
                ["param"] = null,
                ["code"] = error.Status,
            },
        },
        () => Schemas.ObjectOf(("error", Schemas.ObjectOf(
            ("message", Schemas.Text("What was found, what was expected and what to do.")),
            ("type", Schemas.Text("BadRequestError, NotFoundError, InternalServerError, or the status in words.")),
            ("param", Schemas.OrNull(Schemas.Text())),
            ("code", Schemas.Integer("The HTTP status."))))));

    private static string TypeOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "BadRequestError",
        StatusCodes.Status404NotFound => "NotFoundError",
        StatusCodes.Status500InternalServerError => "InternalServerError",
        _ => ReasonPhrases.GetReasonPhrase(status),
    };
}
