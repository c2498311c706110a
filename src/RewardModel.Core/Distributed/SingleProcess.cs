using static TorchSharp.torch;

namespace RewardModel.Distributed;

/// <summary>A single rank, which has nobody to talk to.</summary>
public sealed class SingleProcess : ICollective
{
    private SingleProcess()
    {
    }

    /// <summary>The only one.</summary>
    public static SingleProcess Instance { get; } = new();

    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Size => 1;

    /// <inheritdoc/>
    public int LocalRank => 0;

    /// <inheritdoc/>
    public int LocalSize => 1;

    /// <inheritdoc/>
    public string Description => "one process";

    /// <inheritdoc/>
    public ICollectiveWork AllReduce(Tensor tensor, string purpose) => Done.Instance;

    /// <inheritdoc/>
    public ICollectiveWork ReduceScatter(Tensor tensor, Tensor part, IReadOnlyList<long> ends, string purpose) => Copy(tensor, part);

    /// <inheritdoc/>
    public ICollectiveWork AllGather(Tensor part, Tensor tensor, IReadOnlyList<long> ends, string purpose) => Copy(part, tensor);

    /// <inheritdoc/>
    public byte[][] Gather(ReadOnlySpan<byte> bytes, string purpose) => [bytes.ToArray()];

    /// <summary>Does nothing: there is nobody else to end.</summary>
    public void Abort(string reason)
    {
    }

    /// <summary>Does nothing.</summary>
    public void Dispose()
    {
    }

    private static Done Copy(Tensor source, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        using var _ = no_grad();
        target.copy_(source);
        return Done.Instance;
    }

    private sealed class Done : ICollectiveWork
    {
        public static Done Instance { get; } = new();

        public void Wait()
        {
        }
    }
}
