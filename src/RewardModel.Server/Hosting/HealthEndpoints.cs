using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace RewardModel.Server.Hosting;

/// <summary>
/// <c>/health/live</c>, whether the process answers, and <c>/health/ready</c>, whether it scores: status 503 until the models are loaded,
/// and from when the server was told to stop.
/// </summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        var models = endpoints.ServiceProvider.GetRequiredService<ServedModels>();
        endpoints.MapGet("/health/live", (RequestDelegate)(context =>
            context.Response.WriteAsJsonAsync(new JsonObject { ["status"] = "live" })));
        endpoints.MapGet("/health/ready", (RequestDelegate)(context =>
        {
            var state = models.State;
            context.Response.StatusCode = state == ServerState.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsJsonAsync(new JsonObject
            {
                ["status"] = state switch { ServerState.Loading => "loading", ServerState.Ready => "ready", _ => "draining" },
                ["models"] = new JsonArray([.. models.Models.Select(model => new JsonObject
                {
                    ["name"] = model.Name,
                    ["architecture"] = model.Architecture,
                    ["max_length"] = model.MaxLength,
                    ["member_count"] = model.MemberCount,
                    ["loaded_at"] = model.LoadedAt,
                })]),
            });
        }));
    }
}
