using System.Net;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace RewardModel.Server.Hosting;

/// <summary>
/// A server of its own, as the command <c>reward-model serve</c> runs it: Kestrel, bounded in all that clients can make it hold.
/// </summary>
internal sealed class RewardServer : IAsyncDisposable
{
    /// <summary>How long the last answers may take to be sent.</summary>
    private static readonly TimeSpan sendTimeout = TimeSpan.FromSeconds(5);

    private readonly WebApplication application;
    private readonly RewardServerOptions options;
    private readonly ILogger logger;
    private bool isDisposed;

    private RewardServer(WebApplication application, RewardServerOptions options, ILogger logger)
    {
        (this.application, this.options, this.logger) = (application, options, logger);
        Models = application.Services.GetRequiredService<ServedModels>();
    }

    /// <summary>Where it listens: <c>http://127.0.0.1:5000</c>.</summary>
    public string Address => application.Urls.First();

    public ServedModels Models { get; }

    /// <summary>Listens, then loads the models: until then requests are answered with status 503.</summary>
    /// <param name="options">Which models, and where.</param>
    /// <param name="logger">Is told what goes on.</param>
    /// <param name="map">Maps further endpoints that score; null: there are none.</param>
    /// <param name="limit">Changes the limits of connections; null: they are those of the options.</param>
    /// <param name="cancellationToken">Stops loading before the next tensor.</param>
    /// <returns>The server, which the caller disposes of.</returns>
    /// <exception cref="ArgumentException">The options are wrong: all problems; or the certificate or the file of keys can't be used.</exception>
    /// <exception cref="IOException">The port can't be listened on.</exception>
    /// <exception cref="Checkpoints.CheckpointException">Models can't be loaded: all of them are named.</exception>
    /// <exception cref="Tokenizers.TokenizerException">The tokenizer of the only one that can't be loaded can't be used.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<RewardServer> StartAsync(
        RewardServerOptions options, ILogger logger, Action<IEndpointRouteBuilder>? map = null, Action<KestrelServerLimits>? limit = null,
        CancellationToken cancellationToken = default)
    {
        RewardServerOptionsCheck.Check(options);
        var https = HttpsOf(options);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(new OneLogger(logger))
            .AddFilter("Microsoft", LogLevel.Warning).AddFilter("OpenTelemetry", LogLevel.Warning);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            Limit(kestrel, options);
            limit?.Invoke(kestrel.Limits);
            kestrel.Listen(options.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Host), options.Port, listen =>
            {
                if (https is not null)
                    listen.UseHttps(https);
            });
        });
        builder.Services.AddSingleton(Options.Create(options));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = sendTimeout);
        builder.Services.AddRewardServing();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(Scoring.ScoringTelemetry.MeterName, ServerTelemetry.MeterName)
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            .AddPrometheusExporter());
        var server = new RewardServer(builder.Build(), options, logger);
        try
        {
            server.Map(map ?? (_ => { }));
            await server.application.StartAsync(cancellationToken).ConfigureAwait(false);
            await server.application.Services.GetRequiredService<ModelLifetime>().StartAsync(cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Runs a server until the process is asked to end (SIGINT, SIGTERM) or it is cancelled. SIGHUP loads all models again.
    /// </summary>
    /// <param name="options">Which models, and where.</param>
    /// <param name="logger">Is told what goes on.</param>
    /// <param name="ready">Is told when requests are answered.</param>
    /// <param name="cancellationToken">Ends the server.</param>
    /// <inheritdoc cref="StartAsync" path="/exception"/>
    public static async Task RunAsync(
        RewardServerOptions options, ILogger logger, Action<RewardServer> ready, CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        // Before the models are loaded, when it would end the process, it has nothing to load again.
        RewardServer? started = null;
        using var reload = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            _ = Volatile.Read(ref started)?.Models.ReloadAllAsync(stop.Token);
        });
        await using var server = await StartAsync(options, logger, cancellationToken: stop.Token).ConfigureAwait(false);
        Volatile.Write(ref started, server);
        ready(server);
        await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Refuses new requests, answers those that have begun, for at most <see cref="RewardServerOptions.DrainTimeout"/>, and ends.
    /// </summary>
    public async Task StopAsync()
    {
        try
        {
            await Models.DrainAsync().WaitAsync(options.DrainTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            logger.LogWarning("Requests were not answered within {Seconds} s, and are refused now.", options.DrainTimeout.TotalSeconds);
        }
        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        await application.Services.GetRequiredService<ModelLifetime>().StopAsync(CancellationToken.None).ConfigureAwait(false);
        await Models.DisposeAsync().ConfigureAwait(false);
        // What is answered is still sent.
        await application.StopAsync().ConfigureAwait(false);
        await application.DisposeAsync().ConfigureAwait(false);
    }

    private static void Limit(KestrelServerOptions kestrel, RewardServerOptions options)
    {
        const int maxConnections = 4096, maxHeaders = 64;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = maxConnections;
        kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
        kestrel.Limits.MaxRequestHeaderCount = maxHeaders;
        // Clients that send or read next to nothing hold a connection and memory: 240 bytes a second, after five seconds.
        kestrel.Limits.MinRequestBodyDataRate = kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
    }

    /// <exception cref="ArgumentException">The files hold no certificate and its key.</exception>
    private static HttpsConnectionAdapterOptions? HttpsOf(RewardServerOptions options)
    {
        if (options is not { TlsCertificateFile: { } certificateFile, TlsKeyFile: { } keyFile })
            return null;
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(certificateFile);
            return new HttpsConnectionAdapterOptions
            {
                ServerCertificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile),
                ServerCertificateChain = chain,
                SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            };
        }
        catch (CryptographicException exception)
        {
            throw new ArgumentException(
                $"'{certificateFile}' and '{keyFile}' can't be used for TLS ({exception.Message.TrimEnd('.')}); "
                + "expected PEM files of a certificate and of its private key.",
                exception);
        }
    }

    private void Map(Action<IEndpointRouteBuilder> map)
    {
        var guard = application.Services.GetRequiredService<RequestGuard>();
        if (!guard.NeedsKeys && options.Host != "localhost" && !IPAddress.IsLoopback(IPAddress.Parse(options.Host)))
            logger.LogWarning("Everybody who reaches {Host} can use the models: there are no API keys.", options.Host);
        application.Use((context, next) => guard.WithErrorsAsync(context, () => next(context)));
        application.UseStatusCodePages(context => ErrorResponse.WriteAsync(
            context.HttpContext, ErrorResponse.Of(context.HttpContext.Response.StatusCode)));
        application.MapRewardModel("", map);
        var metrics = application.MapPrometheusScrapingEndpoint("/metrics");
        if (options.MetricsNeedApiKey)
            guard.SurroundWithKeys(metrics);
    }

    /// <summary>Signals are <see cref="RunAsync"/>'s.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>All categories go to one logger, which is the caller's.</summary>
    private sealed class OneLogger(ILogger logger) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose()
        {
        }
    }
}
