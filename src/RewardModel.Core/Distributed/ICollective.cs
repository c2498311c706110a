using static TorchSharp.torch;

namespace RewardModel.Distributed;

/// <summary>
/// The processes that train a model together, as one of them sees them: its rank, and what all ranks do together. All ranks make the same
/// calls in the same order, each from one thread at a time; a call is complete when every rank has made it.
/// </summary>
/// <remarks>
/// Tensors are contiguous, float32 or float64, and of the same shape on every rank; whoever calls leaves them alone, and keeps them, until
/// the <see cref="ICollectiveWork"/> has been waited for. The same calls of the same ranks give the same bits, run for run. What fails
/// throws; whoever calls ends all ranks then, as others may wait for this one: see <see cref="Collectives"/> and <see cref="Abort"/>.
/// </remarks>
public interface ICollective : IDisposable
{
    /// <summary>This process, from 0.</summary>
    int Rank { get; }

    /// <summary>Number of processes.</summary>
    int Size { get; }

    /// <summary>This process among those of its machine, from 0: which of the machine's GPUs it takes.</summary>
    int LocalRank { get; }

    /// <summary>Number of processes of this machine, among which its processors are divided.</summary>
    int LocalSize { get; }

    /// <summary>What connects the processes, for logs: libraries, their versions, ranks and machines.</summary>
    string Description { get; }

    /// <summary>Adds up a tensor over all ranks; each gets the sum, in place.</summary>
    /// <param name="tensor">What this rank adds, and then the sum.</param>
    /// <param name="purpose">What it is, for the message if it fails or never ends: "gradients of layer 3".</param>
    ICollectiveWork AllReduce(Tensor tensor, string purpose);

    /// <summary>Adds up a tensor over all ranks; each gets its part of the sum.</summary>
    /// <param name="tensor">What this rank adds, [ends[^1]]; its numbers mean nothing afterwards.</param>
    /// <param name="part">Gets elements ends[rank - 1] (0 for rank 0) to ends[rank] of the sum; of the same type.</param>
    /// <param name="ends">Where each rank's part ends, rising; parts may be empty.</param>
    /// <param name="purpose">As above.</param>
    ICollectiveWork ReduceScatter(Tensor tensor, Tensor part, IReadOnlyList<long> ends, string purpose);

    /// <summary>Puts together a tensor of every rank's part; each gets all of it.</summary>
    /// <param name="part">This rank's part; may lie at its place within <paramref name="tensor"/>.</param>
    /// <param name="tensor">Gets all parts, [ends[^1]].</param>
    /// <param name="ends">As in <see cref="ReduceScatter"/>.</param>
    /// <param name="purpose">As above.</param>
    ICollectiveWork AllGather(Tensor part, Tensor tensor, IReadOnlyList<long> ends, string purpose);

    /// <summary>Every rank's bytes, by ranks, on every rank. Also waits for all of them.</summary>
    /// <param name="bytes">This rank's, as many as it likes.</param>
    /// <param name="purpose">As above.</param>
    byte[][] Gather(ReadOnlySpan<byte> bytes, string purpose);

    /// <summary>
    /// Ends the processes of all ranks, at once, without their consent: what is written whole stays as it is, and nothing half-written counts.
    /// Does not return where there is more than one rank.
    /// </summary>
    /// <param name="reason">What has happened, for the error stream.</param>
    void Abort(string reason);
}

/// <summary>Something that ranks are doing together.</summary>
public interface ICollectiveWork
{
    /// <summary>
    /// Until this is called the results are not there. On a GPU it may return before they are: what is asked of the same device afterwards
    /// comes after them.
    /// </summary>
    void Wait();
}
