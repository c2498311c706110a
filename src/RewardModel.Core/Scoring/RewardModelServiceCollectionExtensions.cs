using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using RewardModel.Packing;
using RewardModel.Scoring;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers reward models with an application's services.</summary>
public static class RewardModelServiceCollectionExtensions
{
    /// <summary>
    /// Registers the model of a directory, on the CPU: one for the application, loaded when it is first asked for and disposed of with the
    /// services.
    /// </summary>
    /// <inheritdoc cref="AddRewardModel(IServiceCollection, Action{RewardModelOptions})"/>
    /// <param name="services">The application's services.</param>
    /// <param name="directory">The directory of a trained reward model.</param>
    public static IServiceCollection AddRewardModel(this IServiceCollection services, string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return services.AddRewardModel(options => options.Directory = directory);
    }

    /// <summary>
    /// Registers a model as <see cref="IRewardModel"/> and as <see cref="ScoringModel"/>: one for the application, loaded when it is first
    /// asked for and disposed of with the services. So that the first request need not wait, ask for it at the start:
    /// <c>app.Services.GetRequiredService&lt;IRewardModel&gt;()</c>.
    /// </summary>
    /// <remarks>
    /// The options are checked when a host starts, or else when the model is first asked for: an <see cref="OptionsValidationException"/>
    /// names all that is wrong.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options, at least the directory; null where they are configured elsewhere.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">The services or the directory are null.</exception>
    public static IServiceCollection AddRewardModel(this IServiceCollection services, Action<RewardModelOptions>? configure = null)
    {
        services.AddCheckedOptions(Options.Options.DefaultName, configure);
        services.TryAddSingleton(provider => Load(provider, Options.Options.DefaultName));
        services.TryAddSingleton<IRewardModel>(provider => provider.GetRequiredService<ScoringModel>());
        return services;
    }

    /// <summary>
    /// Registers one of several models: <c>[FromKeyedServices("name")] IRewardModel model</c>. Otherwise as
    /// <see cref="AddRewardModel(IServiceCollection, Action{RewardModelOptions})"/> does.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The key of the services, and the name of the options.</param>
    /// <param name="configure">Sets the options, at least the directory; null where they are configured elsewhere.</param>
    /// <returns>The services.</returns>
    /// <exception cref="ArgumentNullException">The services or the name is null.</exception>
    public static IServiceCollection AddKeyedRewardModel(
        this IServiceCollection services, string name, Action<RewardModelOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        services.AddCheckedOptions(name, configure);
        services.TryAddKeyedSingleton(name, (provider, _) => Load(provider, name));
        services.TryAddKeyedSingleton<IRewardModel>(name, (provider, _) => provider.GetRequiredKeyedService<ScoringModel>(name));
        return services;
    }

    private static void AddCheckedOptions(this IServiceCollection services, string name, Action<RewardModelOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<RewardModelOptions>(name).ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RewardModelOptions>, RewardModelOptionsCheck>());
    }

    private static ScoringModel Load(IServiceProvider provider, string name)
    {
        var options = provider.GetRequiredService<IOptionsMonitor<RewardModelOptions>>().Get(name);
        var model = ScoringModel.Load(options.Directory, options.Device, options.BaseDirectory);
        try
        {
            model.MaxTokensPerBatch = options.MaxTokensPerBatch;
            model.PromptCache = options.PromptCacheBytes > 0 ? new PromptCache(options.PromptCacheBytes) : null;
            model.Transformer.IsBatchInvariant = options.IsBatchInvariant;
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
