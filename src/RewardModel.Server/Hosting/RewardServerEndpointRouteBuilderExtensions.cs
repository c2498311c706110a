using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using RewardModel.Server.Hosting;
using RewardModel.Server.Protocols;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the paths of a reward model's server.</summary>
public static class RewardServerEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the protocols that score with the models of <c>AddRewardServer</c>, their description in OpenAPI, and <c>/health/live</c> and
    /// <c>/health/ready</c>.
    /// </summary>
    /// <param name="endpoints">The application's endpoints.</param>
    /// <param name="prefix">What all paths begin with.</param>
    /// <returns>For what is to be said of all of them.</returns>
    /// <exception cref="ArgumentNullException">The endpoints or the prefix are null.</exception>
    /// <exception cref="InvalidOperationException"><c>AddRewardServer</c> was not called.</exception>
    public static IEndpointConventionBuilder MapRewardModel(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        return endpoints.MapRewardModel(prefix, _ => { });
    }

    /// <summary>The same, with other endpoints that score.</summary>
    /// <param name="endpoints">The application's endpoints.</param>
    /// <param name="prefix">What all paths begin with.</param>
    /// <param name="map">Maps the others.</param>
    internal static IEndpointConventionBuilder MapRewardModel(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string prefix, Action<IEndpointRouteBuilder> map)
    {
        var guard = endpoints.ServiceProvider.GetService<RequestGuard>()
            ?? throw new InvalidOperationException(
                "There are no models to serve: call services.AddRewardServer(...) before MapRewardModel.");
        var all = endpoints.MapGroup(prefix);
        all.MapHealth();
        var scoring = all.MapGroup("");
        guard.Surround(scoring);
        scoring.MapProtocols("");
        map(scoring);
        return all;
    }
}
