using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace RewardModel.Server.Hosting;

/// <summary>
/// Loads the models when an application starts, loads them again when their files change, and refuses requests when it stops.
/// </summary>
internal sealed class ModelLifetime(ServedModels models, IOptions<RewardServerOptions> options, IHostApplicationLifetime application)
    : IHostedService, IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private Task watching = Task.CompletedTask;
    private bool isDisposed;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        application.ApplicationStopping.Register(() => models.DrainAsync());
        await models.LoadAsync(cancellationToken).ConfigureAwait(false);
        if (options.Value.ReloadOnChange)
            watching = WatchAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        // The services know it by two names.
        if (isDisposed)
            return;
        isDisposed = true;
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        stop.Dispose();
    }

    /// <summary>
    /// Looks at the files again and again. Those that have changed are loaded once they are the same at two looks, so not while they are
    /// written; what could not be loaded is loaded when it changes again.
    /// </summary>
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(options.Value.ReloadPollInterval);
        var seen = models.All.Select(model => model.FilesVersion).ToArray();
        while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            for (var i = 0; i < seen.Length; i++)
            {
                var (model, version) = (models.All[i], ModelFiles.Version(models.All[i].Directories));
                if (version != model.FilesVersion && version == seen[i])
                    await model.ReloadAsync(stop.Token).ConfigureAwait(false);
                seen[i] = version;
            }
    }
}
