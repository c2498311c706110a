using static TorchSharp.torch;

namespace RewardModel.Distributed;

/// <summary>A single rank, which has nobody to talk to.</summary>
internal sealed class SingleProcess : ICollective
{
    private SingleProcess()
    {
    }

    /// <summary>The only one.</summary>
    public static SingleProcess Instance { get; } = new();

    public int Rank => 0;

    public int Size => 1;

    public int LocalRank => 0;

    public int LocalSize => 1;

    public string Description => "one process";

    public ICollectiveWork AllReduce(Tensor tensor, string purpose) => Done.Instance;

    public ICollectiveWork ReduceScatter(Tensor tensor, Tensor part, IReadOnlyList<long> ends, string purpose) => Copy(tensor, part);

    public ICollectiveWork AllGather(Tensor part, Tensor tensor, IReadOnlyList<long> ends, string purpose) => Copy(part, tensor);

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
