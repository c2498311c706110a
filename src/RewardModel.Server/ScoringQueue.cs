using System.Diagnostics;
using Microsoft.Extensions.Logging;
using RewardModel.Kernels;
using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>The bounds of a <see cref="ScoringQueue"/>; see <see cref="RewardServerOptions"/>.</summary>
internal sealed record QueueOptions(
    int MaxTokensPerBatch, TimeSpan BatchWindow, long MaxQueuedTokens, int MaxQueuedRequests, TimeSpan IdleRelease);

/// <summary>
/// Requests for one model, which one thread computes in batches. Batches are filled in rounds: of each request that waits one list (or as
/// many answers of a long list as fit a batch), in the order in which the requests came, then of each the next one. So a request of few
/// lists waits for at most one list of each request before it, however many lists these have.
/// </summary>
/// <remarks>
/// A lock and a linked list, not a channel: requests are taken from in turns, and one whose client has gone leaves from the middle. The
/// thread is the queue's own, because libtorch keeps a pool of threads for each thread that computes.
/// </remarks>
internal sealed class ScoringQueue : IAsyncDisposable
{
    private readonly string name;
    private readonly QueueOptions options;
    private readonly ServerTelemetry telemetry;
    private readonly ILogger logger;
    private readonly object gate = new();
    private readonly LinkedList<QueuedRequest> waiting = [];
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int waitingPartCount;
    private long waitingTokenCount;
    private int requestCount;
    private double tokensPerSecond;
    private bool isClosed;

    /// <param name="name">The model's name.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="telemetry">What is measured.</param>
    /// <param name="logger">Is told which requests failed.</param>
    public ScoringQueue(string name, QueueOptions options, ServerTelemetry telemetry, ILogger logger)
    {
        (this.name, this.options, this.telemetry, this.logger) = (name, options, telemetry, logger);
        new Thread(Run) { IsBackground = true, Name = $"scoring {name}" }.Start();
    }

    /// <summary>A place for a request, from before it is tokenised until it is answered.</summary>
    /// <returns>The place, which the caller disposes of.</returns>
    /// <exception cref="RequestException">There are too many requests or tokens.</exception>
    public IDisposable Enter()
    {
        lock (gate)
        {
            ThrowIfClosed();
            if (requestCount >= options.MaxQueuedRequests || waitingTokenCount >= options.MaxQueuedTokens)
                throw Full();
            requestCount++;
        }
        return new Place(this);
    }

    /// <summary>Scores lists of a request that has its place.</summary>
    /// <param name="model">The model, which the caller has acquired.</param>
    /// <param name="lists">At least one list, with ids that are the model's, not too long for it.</param>
    /// <param name="cancellationToken">Takes the lists out of the queue.</param>
    /// <returns>Per list, one mean and one standard deviation of the members' rewards for each answer.</returns>
    /// <exception cref="RequestException">There are too many tokens, or the model can't compute these.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<(float[][] Means, float[][] Deviations)> ScoreAsync(
        IBatchModel model, IReadOnlyList<TokenizedList> lists, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var request = new QueuedRequest(model, lists, options.MaxTokensPerBatch);
        lock (gate)
        {
            ThrowIfClosed();
            if (waitingTokenCount > 0 && waitingTokenCount + request.WaitingTokenCount > options.MaxQueuedTokens)
                throw Full();
            request.Place = waiting.AddLast(request);
            waitingTokenCount += request.WaitingTokenCount;
            waitingPartCount += request.Parts.Count;
            Monitor.Pulse(gate);
        }
        await using var registration = cancellationToken.Register(() =>
        {
            Leave(request);
            request.Cancel(cancellationToken);
        });
        return await request.Rewards.ConfigureAwait(false);
    }

    /// <summary>How many lists and tokens wait: those of a batch that is computed don't.</summary>
    public (int Lists, long Tokens) Waiting()
    {
        lock (gate)
            return (waitingPartCount, waitingTokenCount);
    }

    /// <summary>Takes no more requests, answers those that wait with status 503, and ends after the batch that is computed.</summary>
    public async ValueTask DisposeAsync()
    {
        QueuedRequest[] left;
        lock (gate)
        {
            isClosed = true;
            left = [.. waiting];
            foreach (var request in left)
                Leave(request);
            Monitor.Pulse(gate);
        }
        foreach (var request in left)
            request.Fail(ShuttingDown());
        await ended.Task.ConfigureAwait(false);
    }

    /// <summary>The answer to requests that come, or still wait, when the server ends.</summary>
    public static RequestException ShuttingDown() =>
        new(503, "shutting_down", "The server is shutting down. Send the request to another one, or again later.")
        {
            RetryAfterSeconds = 5,
        };

    private void ThrowIfClosed()
    {
        if (isClosed)
            throw ShuttingDown();
    }

    private RequestException Full()
    {
        const int mostSeconds = 600;
        var seconds = tokensPerSecond == 0 ? 1 : (int)Math.Clamp(Math.Ceiling(waitingTokenCount / tokensPerSecond), 1, mostSeconds);
        return new RequestException(
            429, "queue_full",
            $"{requestCount} requests and {waitingTokenCount} tokens wait for model '{name}'; "
            + $"at most {options.MaxQueuedRequests} requests and {options.MaxQueuedTokens} tokens may. Try again in {seconds} s.")
        {
            RetryAfterSeconds = seconds,
        };
    }

    /// <summary>Takes what waits of a request out of the queue.</summary>
    private void Leave(QueuedRequest request)
    {
        lock (gate)
        {
            if (request.Place is null)
                return;
            waiting.Remove(request.Place);
            request.Place = null;
            waitingTokenCount -= request.WaitingTokenCount;
            waitingPartCount -= request.Parts.Count;
        }
    }

    private void Fail(QueuedRequest request, RequestException exception)
    {
        Leave(request);
        request.Fail(exception);
    }

    private void Run()
    {
        IBatchModel? used = null;
        while (NextBatch(used is null ? TimeSpan.Zero : options.IdleRelease, out var batch))
        {
            if (batch is not null)
                Compute(batch);
            else if (used!.TryAcquire())
            {
                used.ReleaseMemory();
                used.Release();
                TensorMemory.ReleaseFree();
            }
            used = batch?.Model;
        }
        ended.SetResult();
    }

    /// <summary>Waits for the next batch.</summary>
    /// <param name="idle">After how long without a request there is none; zero: never.</param>
    /// <param name="batch">The batch, whose model was acquired; null after the idle time.</param>
    /// <returns>False at the end.</returns>
    private bool NextBatch(TimeSpan idle, out TokenBatch? batch)
    {
        batch = null;
        lock (gate)
        {
            // After a batch, what has come meanwhile has waited enough.
            var wasIdle = waiting.Count == 0;
            while (waiting.Count == 0)
            {
                if (isClosed)
                    return false;
                if (!Monitor.Wait(gate, idle == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : idle) && waiting.Count == 0)
                    return true;
                if (wasIdle)
                    WaitForOthers();
            }
            batch = Fill();
            return true;
        }
    }

    /// <summary>Waits until there is a batch, but no longer than the first request may.</summary>
    private void WaitForOthers()
    {
        var start = Stopwatch.GetTimestamp();
        while (waiting.Count > 0 && waitingTokenCount < options.MaxTokensPerBatch && !isClosed
            && options.BatchWindow - Stopwatch.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
            Monitor.Wait(gate, TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)));
    }

    /// <summary>
    /// One part of each request in turn, until the batch is full: all of the version of the model that the first one is for.
    /// </summary>
    private TokenBatch Fill()
    {
        var batch = new TokenBatch(waiting.First!.Value.Model, options.MaxTokensPerBatch);
        for (var place = waiting.First; place is not null;)
        {
            var (request, next) = (place.Value, place.Next);
            if (request.Model != batch.Model)
            {
                place = next;
                continue;
            }
            if (!batch.TryAdd(request.Parts.Peek()))
                break;
            var part = request.Take();
            waitingTokenCount -= part.TokenCount;
            waitingPartCount--;
            waiting.Remove(place);
            if (request.Parts.Count > 0)
                waiting.AddLast(place);
            else
                request.Place = null;
            place = next ?? (request.Parts.Count > 0 ? place : null);
        }
        // A request that waits holds its model, so it is there.
        batch.Model.TryAcquire();
        return batch;
    }

    private void Compute(TokenBatch batch)
    {
        try
        {
            telemetry.Batch(name, batch.Parts.Count, batch.TokenCount);
            foreach (var part in batch.Parts)
                telemetry.Waited(name, Stopwatch.GetElapsedTime(part.Request.Arrival));
            var start = Stopwatch.GetTimestamp();
            if (TryCompute(batch) is not { } failure)
                Measure(batch.TokenCount, Stopwatch.GetElapsedTime(start));
            else if (batch.ByRequest() is { Count: > 1 } alone)
                // What one request makes the model do must not be the others' trouble.
                foreach (var ofRequest in alone.Where(ofRequest => !ofRequest.Parts[0].Request.IsDone))
                {
                    if (TryCompute(ofRequest) is { } own)
                        Fail(ofRequest.Parts[0].Request, own);
                }
            else
                Fail(batch.Parts[0].Request, failure);
        }
        finally
        {
            batch.Model.Release();
        }
    }

    /// <summary>Gives the requests of a batch their rewards.</summary>
    /// <returns>Why it could not; null where it could.</returns>
    private RequestException? TryCompute(TokenBatch batch)
    {
        IReadOnlyList<EnsembleReward[]> rewards;
        try
        {
            rewards = batch.Compute();
        }
        catch (NotFiniteRewardException exception)
        {
            logger.LogError(exception, "Model '{Model}' gives rewards that are not finite.", name);
            return new RequestException(
                500, "not_finite", $"Model '{name}' gives rewards that are not finite numbers; it can't be used for these texts.");
        }
#pragma warning disable CA1031 // Whatever it is, the thread goes on with the others' requests.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            logger.LogError(
                exception, "Model '{Model}' can't compute {Count} lists of {Tokens} tokens.", name, batch.Parts.Count, batch.TokenCount);
            return new RequestException(500, "scoring_failed", $"Model '{name}' failed while it computed the rewards.");
        }
        foreach (var (part, ofPart) in batch.Parts.Zip(rewards))
            part.Request.Set(part, ofPart);
        return null;
    }

    /// <summary>How fast tokens are computed, the newest batches before all.</summary>
    private void Measure(long tokenCount, TimeSpan time)
    {
        const double newest = 0.2;
        var speed = tokenCount / Math.Max(time.TotalSeconds, 1e-6);
        lock (gate)
            tokensPerSecond = tokensPerSecond == 0 ? speed : tokensPerSecond + newest * (speed - tokensPerSecond);
    }

    private sealed class Place(ScoringQueue queue) : IDisposable
    {
        private bool isLeft;

        public void Dispose()
        {
            lock (queue.gate)
            {
                if (!isLeft)
                    queue.requestCount--;
                isLeft = true;
            }
        }
    }
}
