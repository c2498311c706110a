using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Distributed;

/// <summary>
/// Ranks that MPI connects. One thread makes all of MPI's calls and does the operations in the order in which they were asked for, while
/// the caller computes. Tensors on GPUs are copied to the CPU's memory and back.
/// </summary>
internal sealed unsafe class MpiCollective : ICollective
{
    /// <summary>
    /// MPI's counts have 32 bits, and some of its transports take no message beyond 2 GiB: what is larger goes in pieces.
    /// </summary>
    public const long LargestPiece = 1L << 30;

    /// <summary>For MPI_Abort to reach the other processes.</summary>
    private static readonly TimeSpan abortLimit = TimeSpan.FromSeconds(5);

    /// <summary>For the launcher to pass a line on.</summary>
    private static readonly TimeSpan timeOfLine = TimeSpan.FromSeconds(0.2);

    /// <summary>Guards what is not read-only, and is pulsed when it changes.</summary>
    private readonly object gate = new();
    private readonly Queue<Operation> queue = [];
    private readonly Mpi mpi;
    private readonly Watchdog watchdog;
    private readonly long largestPiece;
    private readonly RankProgress? progress;
    private Operation? running;
    private DistributedException? failure;
    private bool isAborting, isDisposed, hasEnded;

    /// <summary>Starts MPI, as every process that the launcher has started does, and returns when all have.</summary>
    /// <param name="mpi">The library, not yet started.</param>
    /// <param name="launcher">What has started this process.</param>
    /// <param name="limit">How long an operation may take, from when this rank has come to it.</param>
    /// <param name="progressFolder">Where each rank writes down how far it is; all of them see it. Null for nowhere.</param>
    /// <param name="largestPiece">Bytes that are passed on at once, at most.</param>
    /// <exception cref="DistributedException">MPI does not start, or is another one than the launcher's.</exception>
    public MpiCollective(Mpi mpi, Launcher launcher, TimeSpan limit, string? progressFolder, long largestPiece = LargestPiece)
    {
        (this.mpi, this.largestPiece, Rank, Size) = (mpi, largestPiece, launcher.Rank, launcher.Size);
        watchdog = new Watchdog(limit, Abort);
        try
        {
            new Thread(Serve) { IsBackground = true, Name = "MPI" }.Start();
            Start("start of MPI", () => Connect(launcher)).Wait();
            if (progressFolder is not null)
                watchdog.Follow(progress = new RankProgress(progressFolder, Rank, Size));
            // Nobody goes on before everybody's file is there.
            var machineCount = Gather([(byte)(LocalRank == 0 ? 1 : 0)], "start of all ranks").Count(flag => flag[0] == 1);
            Name = $"{mpi.Description}, {Size} ranks on {machineCount} machine{(machineCount == 1 ? "" : "s")}";
        }
        catch
        {
            watchdog.Dispose();
            throw;
        }
    }

    public int Rank { get; private set; }

    public int Size { get; private set; }

    public int LocalRank { get; private set; }

    public int LocalSize { get; private set; }

    public string Description => cuda_is_available() ? $"{Name}; tensors on GPUs are copied through the CPU's memory" : Name;

    /// <summary>Library, ranks and machines: "Open MPI 4.1.4 (libmpi.so.40), 4 ranks on 1 machine".</summary>
    public string Name { get; }

    public ICollectiveWork AllReduce(Tensor tensor, string purpose)
    {
        PartEnds.CheckTensor(tensor, tensor.numel());
        return Start(purpose, () =>
        {
            var numbers = OnCpu(tensor);
            var (isDouble, size) = TypeOf(numbers);
            var data = DataOf(numbers);
            foreach (var (start, count) in Pieces(0, numbers.numel(), size))
                mpi.AllReduce(data + start * size, count, isDouble);
            CopyBack(numbers, tensor);
        });
    }

    public ICollectiveWork ReduceScatter(Tensor tensor, Tensor part, IReadOnlyList<long> ends, string purpose)
    {
        var parts = new PartEnds([.. ends], Size);
        parts.Check(tensor, part, Rank);
        return Start(purpose, () =>
        {
            var (numbers, result) = (OnCpu(tensor), PlaceOnCpu(part));
            var (isDouble, size) = TypeOf(numbers);
            byte* data = DataOf(numbers), target = DataOf(result);
            if (parts.Total * size <= largestPiece)
                mpi.ReduceScatter(data, target, parts.Counts(), isDouble);
            else
                for (var root = 0; root < Size; root++)
                    foreach (var (start, count) in Pieces(parts.Start(root), parts.Count(root), size))
                        mpi.Reduce(data + start * size, target + (start - parts.Start(root)) * size, count, isDouble, root);
            CopyBack(result, part);
        });
    }

    public ICollectiveWork AllGather(Tensor part, Tensor tensor, IReadOnlyList<long> ends, string purpose)
    {
        var parts = new PartEnds([.. ends], Size);
        parts.Check(tensor, part, Rank);
        return Start(purpose, () =>
        {
            var (own, all) = (OnCpu(part), PlaceOnCpu(tensor));
            var (_, size) = TypeOf(all);
            byte* data = DataOf(all), source = DataOf(own), place = data + parts.Start(Rank) * size;
            var byteCount = parts.Count(Rank) * size;
            if (source != place)
                Buffer.MemoryCopy(source, place, byteCount, byteCount);
            AllGatherInPlace(data, parts, size);
            CopyBack(all, tensor);
        });
    }

    public byte[][] Gather(ReadOnlySpan<byte> bytes, string purpose)
    {
        var own = bytes.ToArray();
        var result = new byte[Size][];
        Start(purpose, () =>
        {
            long ownLength = own.Length;
            var ends = new long[Size];
            fixed (long* start = ends)
                mpi.AllGather(&ownLength, start, sizeof(long));
            for (var rank = 1; rank < Size; rank++)
                ends[rank] += ends[rank - 1];
            var parts = new PartEnds(ends, Size);
            using var all = empty(parts.Total, uint8);
            var data = DataOf(all);
            own.CopyTo(new Span<byte>(data + parts.Start(Rank), own.Length));
            AllGatherInPlace(data, parts, elementSize: 1);
            for (var rank = 0; rank < Size; rank++)
                result[rank] = new Span<byte>(data + parts.Start(rank), (int)parts.Count(rank)).ToArray();
        }).Wait();
        return result;
    }

    /// <summary>
    /// By MPI_Abort, where the thread that may call it is free. Where it is in an operation it may wait for another rank for ever: then
    /// this process ends with exit code 1, whereupon the launcher ends the others.
    /// </summary>
    public void Abort(string reason)
    {
        if (Size == 1)
            return;
        lock (gate)
        {
            // Whoever comes later is ended together with the process.
            while (isAborting)
                Monitor.Wait(gate);
            isAborting = true;
            SystemCalls.WriteError($"rank {Rank} of {Size}: {reason}");
            Monitor.PulseAll(gate);
            if (running is null && !hasEnded)
                Monitor.Wait(gate, abortLimit);
            SystemCalls.EndProcess(1);
        }
    }

    /// <summary>
    /// Waits until all ranks have come to their ends. Where an operation has failed there is no waiting: all ranks are ended.
    /// </summary>
    public void Dispose()
    {
        Operation end;
        lock (gate)
        {
            if (isDisposed)
                return;
            end = new Operation("end of all ranks", mpi.End);
            queue.Enqueue(end);
            isDisposed = true;
            Monitor.PulseAll(gate);
        }
        try
        {
            end.Wait();
        }
        catch (DistributedException exception)
        {
            Abort(exception.Message);
        }
        watchdog.Dispose();
        progress?.Dispose();
    }

    private void Connect(Launcher launcher)
    {
        mpi.Initialize();
        (Rank, Size) = mpi.World;
        if (Size != launcher.Size)
        {
            var found = Size;
            (Rank, Size) = (launcher.Rank, launcher.Size);
            mpi.End();
            throw OtherMpi(found, launcher);
        }
        (LocalRank, LocalSize) = mpi.PlaceOnMachine();
    }

    private DistributedException OtherMpi(int found, Launcher launcher)
    {
        var started = $"{launcher.Name} has started {launcher.Size} processes, of which {mpi.Description} finds {found}";
        var name = $"name the file of the launcher's own library in {Mpi.LibraryVariable}";
        return new DistributedException(launcher.Implementation is not { } implementation
            ? $"{started}: srun has not told the library of the others. Expected a way that both know: see srun --mpi=list (--mpi=pmix for "
              + $"Open MPI, --mpi=pmi2 for MPICH and Intel MPI), or start with mpirun of that MPI, or {name}."
            : implementation != mpi.Implementation
            ? $"{started}: the launcher and the library are of different MPIs, and know nothing of each other. Expected both of one: start "
              + $"with the mpirun of {(mpi.Implementation == MpiImplementation.OpenMpi ? "Open MPI" : "MPICH or Intel MPI")}, or {name} "
              + $"({(implementation == MpiImplementation.OpenMpi ? "libmpi.so.40" : "libmpich.so.12 or libmpi.so.12")})."
            : $"{started}: they are of different installations. Expected those of one: start with its own mpirun, or {name}.");
    }

    private void AllGatherInPlace(byte* data, PartEnds parts, int elementSize)
    {
        if (parts.Total * elementSize <= largestPiece)
            mpi.AllGatherInPlace(data, parts.Counts(), parts.Starts(), elementSize);
        else
            for (var root = 0; root < Size; root++)
                foreach (var (start, count) in Pieces(parts.Start(root), parts.Count(root), elementSize))
                    mpi.Broadcast(data + start * elementSize, count, elementSize, root);
    }

    private IEnumerable<(long Start, int Count)> Pieces(long start, long count, int elementSize)
    {
        var most = Math.Max(1, largestPiece / elementSize);
        for (var done = 0L; done < count; done += most)
            yield return (start + done, (int)Math.Min(most, count - done));
    }

    private static Tensor OnCpu(Tensor tensor) => tensor.device_type == TorchSharp.DeviceType.CPU ? tensor : tensor.cpu();

    private static Tensor PlaceOnCpu(Tensor tensor) =>
        tensor.device_type == TorchSharp.DeviceType.CPU ? tensor : empty(tensor.shape, tensor.dtype);

    private static void CopyBack(Tensor result, Tensor tensor)
    {
        if (!ReferenceEquals(result, tensor))
            tensor.copy_(result);
    }

    private static byte* DataOf(Tensor tensor) => (byte*)LibTorch.DataOf(tensor);

    private static (bool IsDouble, int ElementSize) TypeOf(Tensor tensor) =>
        tensor.dtype == float64 ? (true, sizeof(double)) : (false, sizeof(float));

    private Operation Start(string purpose, Action body)
    {
        var operation = new Operation(purpose, body);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            queue.Enqueue(operation);
            Monitor.PulseAll(gate);
        }
        return operation;
    }

    /// <summary>The thread that calls MPI.</summary>
    private void Serve()
    {
        using var _ = no_grad();
        while (!hasEnded)
        {
            Operation done;
            lock (gate)
            {
                while (queue.Count == 0 && !isAborting)
                    Monitor.Wait(gate);
                if (isAborting)
                    break;
                running = done = queue.Dequeue();
            }
            Do(done);
            lock (gate)
            {
                running = null;
                hasEnded = isDisposed && queue.Count == 0;
            }
            done.Complete(failure);
        }
        if (!isAborting)
            return;
        // What MPI prints comes to the launcher by another way than this rank's lines, and would overtake the reason.
        using (var never = new ManualResetEvent(false))
            never.WaitOne(timeOfLine);
        mpi.Abort(1);
    }

    /// <summary>What comes after a failure fails for the same reason.</summary>
    private void Do(Operation operation)
    {
        if (failure is not null)
            return;
        watchdog.Begin(operation.Purpose);
        try
        {
            using var scope = NewDisposeScope();
            operation.Body();
        }
        catch (Exception exception)
        {
            failure = new DistributedException($"{operation.Purpose}: {exception.Message}", exception);
        }
        watchdog.End();
    }

    private sealed class Operation(string purpose, Action body) : ICollectiveWork
    {
        private readonly object gate = new();
        private bool isDone;
        private DistributedException? failure;

        public string Purpose => purpose;

        public Action Body => body;

        public void Complete(DistributedException? reason)
        {
            lock (gate)
            {
                (isDone, failure) = (true, reason);
                Monitor.PulseAll(gate);
            }
        }

        public void Wait()
        {
            lock (gate)
                while (!isDone)
                    Monitor.Wait(gate);
            if (failure is not null)
                throw new DistributedException(failure.Message, failure.InnerException);
        }
    }
}
