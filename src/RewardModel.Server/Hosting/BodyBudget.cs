using Microsoft.AspNetCore.Http;

namespace RewardModel.Server.Hosting;

/// <summary>The bytes that the bodies of all requests have together, so that many large ones at once don't take all memory.</summary>
/// <param name="maxBytes">Most bytes.</param>
internal sealed class BodyBudget(long maxBytes)
{
    private long takenBytes;

    /// <summary>
    /// Counts a request's body: all of it at once where its length is known, otherwise as it is read. Then reading may throw
    /// <see cref="RequestException"/>.
    /// </summary>
    /// <returns>Gives the bytes back when it is disposed of: when the request has been answered.</returns>
    /// <exception cref="RequestException">There are too many bytes.</exception>
    public IDisposable Enter(HttpRequest request)
    {
        var share = new Share(this);
        if (request.ContentLength is { } length)
            share.Take(length);
        else
            request.Body = new CountedStream(request.Body, share);
        return share;
    }

    /// <summary>What one request has taken.</summary>
    private sealed class Share(BodyBudget budget) : IDisposable
    {
        private long bytes;

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
        }
    }

    private long MaxBytes => maxBytes;

    /// <summary>A body that is counted while it is read.</summary>
    private sealed class CountedStream(Stream body, Share share) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            share.Take(count);
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A body is read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
