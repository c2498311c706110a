using Microsoft.Extensions.Logging;

namespace RewardModel.Server;

/// <summary>A model that is served under a name: its newest version, and the queue of its requests.</summary>
internal sealed class ServedModel : IAsyncDisposable
{
    private const int maxTokensPerBatchOnCpu = 2048;

    private readonly ServedModelOptions options;
    private readonly RewardServerOptions ofServer;
    private readonly int maxTokensPerBatch;
    private readonly ServerTelemetry telemetry;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim reloading = new(1);
    private LoadedModel loaded;

    private ServedModel(
        ServedModelOptions options, int maxTokensPerBatch, LoadedModel loaded, string filesVersion, RewardServerOptions ofServer,
        ServerTelemetry telemetry, ILogger logger, TimeProvider time)
    {
        (this.options, this.ofServer, this.maxTokensPerBatch, this.loaded) = (options, ofServer, maxTokensPerBatch, loaded);
        (this.telemetry, this.logger, this.time) = (telemetry, logger, time);
        FilesVersion = filesVersion;
        Queue = new ScoringQueue(
            options.ServedName,
            new QueueOptions(
                maxTokensPerBatch, ofServer.BatchWindow, ofServer.MaxQueuedTokens, ofServer.MaxQueuedRequests, ofServer.IdleRelease),
            telemetry, logger);
        telemetry.Observe(options.ServedName, Queue.Waiting, () => Volatile.Read(ref this.loaded).Cached());
    }

    public ServedModelInfo Info => Volatile.Read(ref loaded).Info;

    public ScoringQueue Queue { get; }

    /// <summary>The directories that it is loaded from.</summary>
    public IEnumerable<string> Directories => options.Directories;

    /// <summary>
    /// The files that it was loaded from, or could not be loaded from, last: see <see cref="ModelFiles.Version(IEnumerable{string})"/>.
    /// </summary>
    public string FilesVersion { get; private set; }

    /// <summary>Loads a model.</summary>
    /// <inheritdoc cref="LoadedModel.Load" path="/exception"/>
    public static ServedModel Load(
        ServedModelOptions options, RewardServerOptions ofServer, ServerTelemetry telemetry, ILogger logger, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var maxTokensPerBatch = ofServer.MaxTokensPerBatch
            ?? (options.Device is null or "cpu" ? maxTokensPerBatchOnCpu : Scoring.RewardScorer.DefaultMaxTokensPerBatch);
        var version = ModelFiles.Version(options.Directories);
        var loaded = LoadedModel.Load(options, ofServer, maxTokensPerBatch, time, cancellationToken);
        return new ServedModel(options, maxTokensPerBatch, loaded, version, ofServer, telemetry, logger, time);
    }

    /// <summary>The newest version, which the caller releases.</summary>
    public LoadedModel Acquire()
    {
        LoadedModel newest;
        do
            newest = Volatile.Read(ref loaded);
        while (!newest.TryAcquire());
        return newest;
    }

    /// <summary>
    /// Loads the files again, beside what is served, and serves that if it is good: requests that have begun are answered by the version
    /// that they began with, which then goes. If it is not, the old one goes on, and the log says why.
    /// </summary>
    /// <returns>Whether there is a new version.</returns>
    public async Task<bool> ReloadAsync(CancellationToken cancellationToken)
    {
        await reloading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            FilesVersion = ModelFiles.Version(options.Directories);
            var next = await Task.Run(() => LoadedModel.Load(options, ofServer, maxTokensPerBatch, time, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            Interlocked.Exchange(ref loaded, next).Release();
            logger.LogInformation("Model '{Model}' was loaded again.", options.ServedName);
            telemetry.Reloaded(options.ServedName, isLoaded: true);
            return true;
        }
#pragma warning disable CA1031 // Whatever is wrong with the new one, the old one goes on.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            logger.LogError(
                "Model '{Model}' can't be loaded again, so the old one goes on: {Reason}", options.ServedName, exception.Message);
            telemetry.Reloaded(options.ServedName, isLoaded: false);
            return false;
        }
        finally
        {
            reloading.Release();
        }
    }

    /// <summary>Ends the queue and releases the model.</summary>
    public async ValueTask DisposeAsync()
    {
        await Queue.DisposeAsync().ConfigureAwait(false);
        await reloading.WaitAsync().ConfigureAwait(false);
        loaded.Release();
        reloading.Dispose();
    }
}
