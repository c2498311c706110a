using Microsoft.AspNetCore.Http;
using RewardModel.Reading;

namespace RewardModel.Server.Hosting;

/// <summary>The bytes that the bodies of all requests have together, so that many large ones at once don't take all memory.</summary>
/// <param name="maxBytes">Most bytes.</param>
/// <param name="readTimeout">How long it may take until a body is read.</param>
internal sealed class BodyBudget(long maxBytes, TimeSpan readTimeout)
{
    private long takenBytes;

    /// <summary>
    /// Counts a request's body as it is read, not as it is announced: what has not come takes no memory. Reading may throw
    /// <see cref="RequestException"/>: there are too many bytes, or they come too slowly.
    /// </summary>
    /// <returns>Gives the bytes back when it is disposed of: when the request has been answered.</returns>
    public IDisposable Enter(HttpRequest request)
    {
        var share = new Share(this, readTimeout);
        request.Body = new CountedStream(request.Body, share);
        return share;
    }

    /// <summary>What one request has taken.</summary>
    private sealed class Share(BodyBudget budget, TimeSpan timeout) : IDisposable
    {
        private readonly CancellationTokenSource late = new(timeout);
        private long bytes;

        /// <summary>The time in which the body has to be read is over.</summary>
        public CancellationToken Late => late.Token;

        public void Take(long more)
        {
            if (Interlocked.Add(ref budget.takenBytes, more) <= budget.MaxBytes)
            {
                bytes += more;
                return;
            }
            Interlocked.Add(ref budget.takenBytes, -more);
            throw new RequestException(429, "queue_full", "The requests that are read have too many bytes together. Try again later.")
            {
                RetryAfterSeconds = 1,
            };
        }

        public void Dispose()
        {
            Interlocked.Add(ref budget.takenBytes, -bytes);
            bytes = 0;
            late.Dispose();
        }
    }

    private long MaxBytes => maxBytes;

    /// <summary>A body that is counted while it is read.</summary>
    private sealed class CountedStream(Stream body, Share share) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(share.Late, cancellationToken);
            try
            {
                var count = await body.ReadAsync(buffer, either.Token).ConfigureAwait(false);
                share.Take(count);
                return count;
            }
            catch (OperationCanceledException) when (share.Late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw ErrorResponse.Of(StatusCodes.Status408RequestTimeout);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(Span<byte> buffer) => throw new NotSupportedException("A body is read asynchronously.");
    }
}
