using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using RewardModel.Server;
using RewardModel.Server.Hosting;
using RewardModel.Server.Protocols;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what serves reward models with an ASP.NET Core application's services.</summary>
public static class RewardServerServiceCollectionExtensions
{
    /// <summary>
    /// Registers the models that <c>MapRewardModel</c> serves. They are loaded when the application starts, which fails if one of them
    /// can't be.
    /// </summary>
    /// <remarks>
    /// <see cref="RewardServerOptions.Host"/>, <see cref="RewardServerOptions.Port"/>, the TLS files and
    /// <see cref="RewardServerOptions.DrainTimeout"/> are the command's; an application has its own for them.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options, at least the models; null where they are configured elsewhere.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">The services are null.</exception>
    public static IServiceCollection AddRewardServer(this IServiceCollection services, Action<RewardServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<RewardServerOptions>().ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RewardServerOptions>, RewardServerOptionsCheck>());
        services.AddRewardServing();
        services.AddHostedService(provider => provider.GetRequiredService<ModelLifetime>());
        return services;
    }

    /// <summary>The same, but for the options, and models that the caller loads.</summary>
    internal static void AddRewardServing(this IServiceCollection services)
    {
        services.AddRouting();
        services.AddProtocols();
        services.TryAddSingleton<ServerTelemetry>();
        services.TryAddSingleton<ServedModels>();
        services.TryAddSingleton<IScoringService>(provider => provider.GetRequiredService<ServedModels>());
        services.TryAddSingleton<RequestGuard>();
        services.TryAddSingleton<ModelLifetime>();
    }
}
