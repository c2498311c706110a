using System.Diagnostics;
using System.Globalization;
using RewardModel.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Distributed;

/// <summary>
/// Ranks whose tensors on GPUs NCCL adds up and puts together, a GPU for each rank; tensors on the CPU, bytes and the ends of processes are
/// left to what has connected the ranks.
/// </summary>
/// <remarks>
/// Operations have a stream of their own and go on while the GPU computes. Before each one that stream waits for what the default stream,
/// on which libtorch computes, was asked for so far, and <see cref="ICollectiveWork.Wait"/> makes the default stream wait for the
/// operation.
/// </remarks>
internal sealed unsafe class NcclCollective : ICollective
{
    /// <summary>The stream that libtorch computes on.</summary>
    private const IntPtr defaultStream = 0;

    private readonly ICollective ranks;
    private readonly Nccl nccl;
    private readonly CudaRuntime cuda;
    private readonly TimeSpan limit;
    private readonly int device;
    private readonly bool ownsRanks;
    private readonly IntPtr group, stream;
    /// <summary>What the GPU has not done yet, in its order; guards itself and is pulsed when that changes.</summary>
    private readonly Queue<Work> underWay = [];
    private bool isDisposed;

    /// <summary>Joins the ranks' GPUs, as every rank does.</summary>
    /// <param name="ranks">What has connected the ranks.</param>
    /// <param name="device">This rank's GPU, of those that this process sees.</param>
    /// <param name="limit">How long an operation may take, from when this rank's GPU has come to it.</param>
    /// <param name="ownsRanks">Whether what has connected the ranks is disposed of with this.</param>
    /// <exception cref="DistributedException">NCCL or CUDA's runtime is not there, or the GPUs don't reach each other.</exception>
    public NcclCollective(ICollective ranks, int device, TimeSpan limit, bool ownsRanks = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        (this.ranks, this.device, this.limit, this.ownsRanks) = (ranks, device, limit, ownsRanks);
        (nccl, cuda) = (Nccl.Open(), CudaRuntime.Open());
        cuda.SetDevice(device);
        var id = ranks.Gather(ranks.Rank == 0 ? nccl.NewId() : [], "start of NCCL")[0];
        // It waits for all ranks by itself, without an end.
        using (new Timer(
            _ => ranks.Abort($"NCCL has not connected the GPUs of all ranks in {limit.TotalMinutes:0.#} minutes; is a network closed between them?"),
            null, limit, Timeout.InfiniteTimeSpan))
            group = nccl.Join(id, ranks.Rank, ranks.Size);
        stream = cuda.NewStream();
        new Thread(Watch) { IsBackground = true, Name = "watchdog of NCCL" }.Start();
    }

    /// <summary>Whether its libraries are there.</summary>
    public static bool IsInstalled
    {
        get
        {
            try
            {
                _ = (Nccl.Open(), CudaRuntime.Open());
                return true;
            }
            catch (DistributedException)
            {
                return false;
            }
        }
    }

    public int Rank => ranks.Rank;

    public int Size => ranks.Size;

    public int LocalRank => ranks.LocalRank;

    public int LocalSize => ranks.LocalSize;

    public string Description => $"{nccl.Description} for tensors on GPUs; {(ranks is MpiCollective mpi ? mpi.Name : ranks.Description)}";

    public ICollectiveWork AllReduce(Tensor tensor, string purpose)
    {
        if (tensor.device_type != DeviceType.CUDA)
            return ranks.AllReduce(tensor, purpose);
        PartEnds.CheckTensor(tensor, tensor.numel());
        return Start(purpose, () => nccl.AllReduce(LibTorch.DataOf(tensor), tensor.numel(), tensor.dtype == float64, group, stream));
    }

    public ICollectiveWork ReduceScatter(Tensor tensor, Tensor part, IReadOnlyList<long> ends, string purpose)
    {
        if (tensor.device_type != DeviceType.CUDA)
            return ranks.ReduceScatter(tensor, part, ends, purpose);
        var parts = new PartEnds(ends, Size);
        parts.Check(tensor, part, Rank);
        return Start(purpose, () =>
        {
            byte* data = (byte*)LibTorch.DataOf(tensor), target = (byte*)LibTorch.DataOf(part);
            var isDouble = tensor.dtype == float64;
            if (parts.AreEven)
                nccl.ReduceScatter(data, target, parts.Count(0), isDouble, group, stream);
            else
                nccl.Together(() =>
                {
                    foreach (var root in WithParts(parts))
                        nccl.Reduce(
                            data + parts.Start(root) * tensor.element_size(), root == Rank ? target : null, parts.Count(root), isDouble,
                            root, group, stream);
                });
        });
    }

    public ICollectiveWork AllGather(Tensor part, Tensor tensor, IReadOnlyList<long> ends, string purpose)
    {
        if (tensor.device_type != DeviceType.CUDA)
            return ranks.AllGather(part, tensor, ends, purpose);
        var parts = new PartEnds(ends, Size);
        parts.Check(tensor, part, Rank);
        return Start(purpose, () =>
        {
            byte* data = (byte*)LibTorch.DataOf(tensor), source = (byte*)LibTorch.DataOf(part);
            var isDouble = tensor.dtype == float64;
            if (parts.AreEven)
                nccl.AllGather(source, data, parts.Count(0), isDouble, group, stream);
            else
                nccl.Together(() =>
                {
                    foreach (var root in WithParts(parts))
                    {
                        var place = data + parts.Start(root) * tensor.element_size();
                        nccl.Broadcast(root == Rank ? source : place, place, parts.Count(root), isDouble, root, group, stream);
                    }
                });
        });
    }

    public byte[][] Gather(ReadOnlySpan<byte> bytes, string purpose) => ranks.Gather(bytes, purpose);

    public void Abort(string reason) => ranks.Abort(reason);

    /// <summary>Waits until the GPU has done all that it was asked for.</summary>
    public void Dispose()
    {
        if (isDisposed)
            return;
        cuda.SetDevice(device);
        cuda.Synchronize(stream);
        lock (underWay)
        {
            isDisposed = true;
            Monitor.PulseAll(underWay);
        }
        nccl.Leave(group);
        cuda.DestroyStream(stream);
        if (ownsRanks)
            ranks.Dispose();
    }

    private IEnumerable<int> WithParts(PartEnds parts) => Enumerable.Range(0, Size).Where(rank => parts.Count(rank) > 0);

    private Work Start(string purpose, Action operation)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        cuda.SetDevice(device);
        var computed = cuda.NewEvent(defaultStream);
        cuda.WaitFor(computed, stream);
        cuda.DestroyEvent(computed);
        var begun = cuda.NewEvent(stream);
        operation();
        var work = new Work(this, purpose, begun, cuda.NewEvent(stream));
        lock (underWay)
        {
            underWay.Enqueue(work);
            Monitor.PulseAll(underWay);
        }
        return work;
    }

    /// <summary>The GPU does one operation after the other: the first that is not done is the one that it is at.</summary>
    private void Watch()
    {
        var interval = TimeSpan.FromSeconds(Math.Min(1, limit.TotalSeconds / 8));
        cuda.SetDevice(device);
        var clock = new Stopwatch();
        lock (underWay)
            while (!isDisposed)
            {
                while (underWay.TryPeek(out var first) && first.IsDone)
                {
                    underWay.Dequeue().Forget();
                    clock.Reset();
                }
                if (underWay.TryPeek(out var current) && current.IsBegun && !clock.IsRunning)
                    clock.Start();
                if (clock.Elapsed > limit)
                    Abort(string.Create(
                        CultureInfo.InvariantCulture,
                        $"an operation of NCCL ({current!.Purpose}) has taken {clock.Elapsed.TotalSeconds:0} s, and at most "
                        + $"{limit.TotalSeconds:0.###} s were expected: another rank hangs, or computes much longer. All ranks are ended; "
                        + $"look at what they do, or set a longer limit."));
                _ = underWay.Count == 0 ? Monitor.Wait(underWay) : Monitor.Wait(underWay, interval);
            }
    }

    /// <summary>An operation, between the event of its beginning and that of its end.</summary>
    private sealed class Work(NcclCollective collective, string purpose, IntPtr begun, IntPtr done) : ICollectiveWork
    {
        private readonly object gate = new();
        private bool isWaitedFor, isForgotten;

        public string Purpose => purpose;

        public bool IsBegun => collective.cuda.HasCome(begun);

        public bool IsDone => collective.cuda.HasCome(done);

        /// <summary>Nobody looks at it any more but who waits for it.</summary>
        public void Forget()
        {
            lock (gate)
            {
                isForgotten = true;
                collective.cuda.DestroyEvent(begun);
                if (isWaitedFor)
                    collective.cuda.DestroyEvent(done);
            }
        }

        public void Wait()
        {
            lock (gate)
            {
                if (isWaitedFor)
                    return;
                isWaitedFor = true;
                collective.cuda.SetDevice(collective.device);
                collective.cuda.WaitFor(done, defaultStream);
                if (isForgotten)
                    collective.cuda.DestroyEvent(done);
            }
        }
    }
}
