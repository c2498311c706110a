using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.OpenApi;

namespace RewardModel.Server.Protocols;

/// <summary>An endpoint of a protocol: what it is called, what it takes and gives, and how it answers.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Summary">What it does, in a line.</param>
/// <param name="Errors">How it says what went wrong.</param>
/// <param name="Request">What its body looks like; null where it is read with GET.</param>
/// <param name="Example">A body.</param>
/// <param name="Response">What it answers.</param>
/// <param name="Answer">The answer to a request; problems of the request are thrown by what it calls.</param>
internal sealed record ProtocolOperation(
    string Path, string Summary, ErrorShape Errors, Func<OpenApiSchema>? Request, string? Example, Func<OpenApiSchema> Response,
    Func<ProtocolCall, Task<JsonObject>> Answer)
{
    private const string json = "application/json";

    // Status, and what it means here.
    private static readonly (int Status, string Description)[] failures =
    [
        (StatusCodes.Status400BadRequest, "The request is wrong: all that was found, and what was expected."),
        (StatusCodes.Status404NotFound, "There is no such model."),
        (StatusCodes.Status413PayloadTooLarge, "The request is too large."),
        (StatusCodes.Status415UnsupportedMediaType, "The body is no application/json in UTF-8."),
        (StatusCodes.Status429TooManyRequests, "Too many requests are waiting: try again after the seconds of Retry-After."),
        (StatusCodes.Status500InternalServerError, "A reward could not be computed."),
        (StatusCodes.Status503ServiceUnavailable, "The server is shutting down, or not ready yet."),
        (StatusCodes.Status504GatewayTimeout, "The answer was not computed in time."),
    ];

    /// <summary>Maps the endpoint, and describes it.</summary>
    public void Map(IEndpointRouteBuilder endpoints)
    {
        // Only what is given as a delegate is described in the OpenAPI document.
        Delegate handle = (Func<HttpContext, Task>)HandleAsync;
        var endpoint = Request is null ? endpoints.MapGet(Path, handle) : endpoints.MapPost(Path, handle);
        endpoint.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            Describe(operation);
            return Task.CompletedTask;
        });
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            using var document = Request is null ? JsonDocument.Parse("{}") : await RequestBody.ReadAsync(context).ConfigureAwait(false);
            var mostItems = context.RequestServices.GetRequiredService<IScoringService>().MaxRows;
            var answer = await Answer(new ProtocolCall(context, new RequestMembers(document.RootElement, mostItems))).ConfigureAwait(false);
            await WriteAsync(context, StatusCodes.Status200OK, answer).ConfigureAwait(false);
        }
        catch (RequestException e)
        {
            await RejectAsync(context, e).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // It may have gone while it was answered.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            context.RequestServices.GetRequiredService<ILogger<ProtocolOperation>>().LogError(e, "{Path} failed", Path);
            await RejectAsync(context, new RequestException(
                StatusCodes.Status500InternalServerError, "internal_error", "The server failed; its log says why.")).ConfigureAwait(false);
        }
    }

    private Task RejectAsync(HttpContext context, RequestException error)
    {
        if (error.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return WriteAsync(context, error.Status, Errors.Body(error));
    }

    private static async Task WriteAsync(HttpContext context, int status, JsonObject body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            body.WriteTo(writer);
        context.Response.StatusCode = status;
        context.Response.ContentType = json;
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }

    private void Describe(OpenApiOperation operation)
    {
        operation.OperationId = Path.Trim('/').Replace('/', '_');
        operation.Summary = Summary;
        if (Request is not null)
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = Content(Request(), JsonNode.Parse(Example!)) };
        operation.Responses = new OpenApiResponses
        {
            ["200"] = new OpenApiResponse { Description = "The answer.", Content = Content(Response()) },
        };
        if (Request is not null)
            foreach (var (status, description) in failures)
                operation.Responses[status.ToString(CultureInfo.InvariantCulture)] =
                    new OpenApiResponse { Description = description, Content = Content(Errors.Schema()) };
    }

    private static Dictionary<string, OpenApiMediaType> Content(OpenApiSchema schema, JsonNode? example = null) =>
        new() { [json] = new OpenApiMediaType { Schema = schema, Example = example } };
}
