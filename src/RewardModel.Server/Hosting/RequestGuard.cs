using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RewardModel.Server.Hosting;

/// <summary>
/// What a request goes through before an endpoint sees it: keys, rates, sizes; and what becomes of the errors of endpoints. It surrounds
/// endpoints, so that it does the same in an application that has others.
/// </summary>
internal sealed class RequestGuard : IAsyncDisposable
{
    /// <summary>Bodies that are read at once have as many times a body's bytes together.</summary>
    private const int bodiesAtOnce = 8;

    private readonly RewardServerOptions options;
    private readonly ServedModels models;
    private readonly ServerTelemetry telemetry;
    private readonly ILogger logger;
    private readonly ApiKeys keys;
    private readonly BodyBudget bodies;
    private readonly PartitionedRateLimiter<string>? rates;

    public RequestGuard(IOptions<RewardServerOptions> options, ServedModels models, ServerTelemetry telemetry, ILogger<RequestGuard> logger)
    {
        (this.options, this.models, this.telemetry, this.logger) = (options.Value, models, telemetry, logger);
        keys = new ApiKeys(this.options);
        bodies = new BodyBudget(bodiesAtOnce * this.options.MaxRequestBytes, this.options.RequestTimeout);
        if (this.options.RequestsPerMinutePerKey is { } count)
            rates = PartitionedRateLimiter.Create<string, string>(client => RateLimitPartition.GetTokenBucketLimiter(
                client, _ => new TokenBucketRateLimiterOptions
                {
                    TokenLimit = count,
                    TokensPerPeriod = 1,
                    ReplenishmentPeriod = TimeSpan.FromMinutes(1.0 / count),
                    QueueLimit = 0,
                    AutoReplenishment = true,
                }));
    }

    /// <summary>Whether requests need a key.</summary>
    public bool NeedsKeys => keys.AreNeeded;

    /// <summary>Surrounds endpoints.</summary>
    public void Surround(IEndpointConventionBuilder endpoints) => endpoints.Finally(endpoint =>
    {
        var next = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context => AnswerAsync(context, next, isScoring: true);
    });

    /// <summary>Surrounds endpoints that ask for a key and no more.</summary>
    public void SurroundWithKeys(IEndpointConventionBuilder endpoints) => endpoints.Finally(endpoint =>
    {
        var next = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context => AnswerAsync(context, next, isScoring: false);
    });

    /// <summary>Answers with what a part of the way of a request throws.</summary>
    public async Task WithErrorsAsync(HttpContext context, Func<Task> next)
    {
        RequestException error;
        try
        {
            await next().ConfigureAwait(false);
            return;
        }
        catch (RequestException exception)
        {
            error = exception;
        }
        catch (BadHttpRequestException exception)
        {
            error = ErrorResponse.Of(exception.StatusCode);
        }
        catch (Exception exception) when (context.RequestAborted.IsCancellationRequested
            && exception is OperationCanceledException or IOException)
        {
            // Nobody is there to be answered.
            return;
        }
#pragma warning disable CA1031 // The client is told no more than that, the log all.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            logger.LogError(exception, "A request failed.");
            error = ErrorResponse.Of(500);
        }
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.Clear();
        await ErrorResponse.WriteAsync(context, error).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => rates?.DisposeAsync() ?? ValueTask.CompletedTask;

    private Task AnswerAsync(HttpContext context, RequestDelegate next, bool isScoring) => WithErrorsAsync(context, async () =>
    {
        IDisposable? body = null;
        try
        {
            try
            {
                Check(context, isScoring);
                body = isScoring ? bodies.Enter(context.Request) : null;
            }
            catch (RequestException exception)
            {
                telemetry.Rejected(exception.Code);
                throw;
            }
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            body?.Dispose();
        }
    });

    private void Check(HttpContext context, bool isScoring)
    {
        var key = keys.AreNeeded ? keys.Find(context.Request) : null;
        if (keys.AreNeeded && key is null)
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                return Task.CompletedTask;
            });
            throw new RequestException(
                401, "invalid_api_key", "The request has no valid key; expected the header Authorization: Bearer KEY, or X-API-Key: KEY.");
        }
        if (!isScoring)
            return;
        if (models.State == ServerState.Draining)
        {
            if (HttpProtocol.IsHttp11(context.Request.Protocol) || HttpProtocol.IsHttp10(context.Request.Protocol))
                context.Response.OnStarting(() =>
                {
                    context.Response.Headers.Connection = "close";
                    return Task.CompletedTask;
                });
            throw ScoringQueue.ShuttingDown();
        }
        CheckRate(key?.ToString(CultureInfo.InvariantCulture) ?? context.Connection.RemoteIpAddress?.ToString() ?? "");
        if (context.Request.ContentLength > options.MaxRequestBytes)
            throw ErrorResponse.Of(413);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = options.MaxRequestBytes;
    }

    private void CheckRate(string client)
    {
        using var lease = rates?.AttemptAcquire(client);
        if (lease is not { IsAcquired: false })
            return;
        var time = lease.TryGetMetadata(MetadataName.RetryAfter, out var left) ? left : TimeSpan.FromMinutes(1);
        var seconds = (int)Math.Max(1, Math.Ceiling(time.TotalSeconds));
        throw new RequestException(
            429, "rate_limited",
            $"There were more than {options.RequestsPerMinutePerKey} requests in a minute. Try again in {seconds} s.")
        {
            RetryAfterSeconds = seconds,
        };
    }
}
