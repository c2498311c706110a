using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using RewardModel.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers clients of reward models with an application's services.</summary>
public static class RewardClientServiceCollectionExtensions
{
    /// <summary>Registers <see cref="RewardClient"/>, whose HttpClient comes from the application's IHttpClientFactory.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets where the server is, and what else is not the default; checked when a host starts.</param>
    /// <returns>What further handlers are added to. They see every try by itself.</returns>
    /// <exception cref="ArgumentNullException">The services or what sets the options is null.</exception>
    public static IHttpClientBuilder AddRewardClient(this IServiceCollection services, Action<RewardClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<RewardClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RewardClientOptions>, RewardClientOptionsCheck>());
        return services
            // The client has a timeout of its own.
            .AddHttpClient(nameof(RewardClient), http => http.Timeout = Timeout.InfiniteTimeSpan)
            .AddTypedClient((http, provider) => new RewardClient(http, provider.GetRequiredService<IOptions<RewardClientOptions>>().Value));
    }
}
