using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace RewardModel.Server.Protocols;

/// <summary>All protocols of the server. Their endpoints ask the application's <see cref="IScoringService"/>.</summary>
internal static class ProtocolEndpoints
{
    /// <summary>Registers what the description of the endpoints, <c>/openapi/v1.json</c>, is made with.</summary>
    public static IServiceCollection AddProtocols(this IServiceCollection services) => services.AddOpenApi();

    /// <summary>Maps the endpoints of all protocols and their description.</summary>
    /// <param name="endpoints">The application, with the services of <see cref="AddProtocols"/>.</param>
    /// <param name="prefix">What their paths begin with: empty, or such as <c>/rewards</c>.</param>
    /// <returns>The endpoints as a group, for what is to be said of all of them.</returns>
    public static RouteGroupBuilder MapProtocols(this IEndpointRouteBuilder endpoints, string prefix)
    {
        var group = endpoints.MapGroup(prefix);
        ProtocolOperation[] operations =
        [
            RewardsProtocol.Operation, ModelsProtocol.Operation, OpenRlhfProtocol.Operation, LlamaFactoryProtocol.Operation,
            .. VllmProtocol.Operations,
        ];
        foreach (var operation in operations)
            operation.Map(group);
        group.MapOpenApi();
        return group;
    }
}
