using System.Runtime.ExceptionServices;
using RewardModel.Distributed;
using static TorchSharp.torch;

namespace RewardModel.Tests.Distributed;

/// <summary>
/// Ranks that are threads of one process, for tests; sums are made in the order of ranks. Stricter than ranks that are processes: calls
/// that don't belong together fail, results appear when they are waited for and not before, what a reduction leaves behind is NaN, and
/// every operation has to be waited for.
/// </summary>
internal sealed class ThreadCollective : ICollective
{
    private readonly Meeting meeting;
    private readonly HashSet<Work> unfinished = [];
    private int operationCount;

    private ThreadCollective(Meeting meeting, int rank) => (this.meeting, Rank) = (meeting, rank);

    public int Rank { get; }

    public int Size => meeting.Size;

    public int LocalRank => Rank;

    public int LocalSize => Size;

    public string Description => $"{Size} threads of one process";

    /// <summary>
    /// Runs the body once per rank, each on a thread of its own, and returns when all have ended. What fails first is thrown here; the
    /// other ranks' waits fail, too, so that they end.
    /// </summary>
    public static void Run(int ranks, Action<ICollective> body)
    {
        var meeting = new Meeting(ranks);
        var threads = Enumerable.Range(0, ranks).Select(rank => new Thread(() =>
        {
            using var collective = new ThreadCollective(meeting, rank);
            try
            {
                body(collective);
                if (collective.unfinished.FirstOrDefault() is { } forgotten)
                    throw new InvalidOperationException($"Rank {rank} has not waited for {forgotten.Name}.");
                meeting.Leave(rank);
            }
            catch (Exception exception)
            {
                meeting.Fail(exception);
            }
        }, maxStackSize: 16 << 20)).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        meeting.ThrowFailure();
    }

    public ICollectiveWork AllReduce(Tensor tensor, string purpose)
    {
        Check(tensor, tensor.numel());
        return Start($"AllReduce of {tensor.numel()}: {purpose}", tensor, Sum, sum => Copy(sum, tensor));
    }

    public ICollectiveWork ReduceScatter(Tensor tensor, Tensor part, IReadOnlyList<long> ends, string purpose)
    {
        var (start, count) = Place(ends);
        Check(tensor, ends[^1]);
        Check(part, count);
        return Start($"ReduceScatter to {string.Join(' ', ends)}: {purpose}", tensor, Sum, sum =>
        {
            tensor.fill_(double.NaN);
            Copy(sum.view(-1).narrow(0, start, count), part);
        });
    }

    public ICollectiveWork AllGather(Tensor part, Tensor tensor, IReadOnlyList<long> ends, string purpose)
    {
        Check(part, Place(ends).Count);
        Check(tensor, ends[^1]);
        return Start(
            $"AllGather to {string.Join(' ', ends)}: {purpose}", part, parts => cat([.. parts.Select(one => one.view(-1))]),
            all => Copy(all, tensor));
    }

    public byte[][] Gather(ReadOnlySpan<byte> bytes, string purpose)
    {
        byte[][] result = [];
        Start($"Gather: {purpose}", bytes.ToArray(), all => all, all => result = [.. all.Select(one => one.ToArray())]).Wait();
        return result;
    }

    /// <summary>Throws where there is more than one rank, on all of them.</summary>
    public void Abort(string reason)
    {
        if (Size == 1)
            return;
        var exception = new InvalidOperationException($"rank {Rank} of {Size}: {reason}");
        meeting.Fail(exception);
        throw exception;
    }

    public void Dispose()
    {
    }

    private Work Start<TInput, TResult>(string name, TInput input, Func<TInput[], TResult> combine, Action<TResult> take)
        where TInput : notnull where TResult : notnull
    {
        var operation = meeting.Come(operationCount++, Rank, name, input, inputs => combine([.. inputs.Cast<TInput>()]));
        var work = new Work(this, operation, () => take((TResult)operation.Result!));
        unfinished.Add(work);
        return work;
    }

    private (long Start, long Count) Place(IReadOnlyList<long> ends)
    {
        if (ends.Count != Size || ends[0] < 0 || ends.Zip(ends.Skip(1)).Any(pair => pair.First > pair.Second))
            throw new ArgumentException($"{Size} rising ends were expected and not {string.Join(' ', ends)}.", nameof(ends));
        var start = Rank == 0 ? 0 : ends[Rank - 1];
        return (start, ends[Rank] - start);
    }

    private static void Check(Tensor tensor, long count)
    {
        if (tensor.numel() != count || !tensor.is_contiguous() || tensor.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException(
                $"A contiguous tensor of {count} float32 or float64 was expected and not one of {tensor.numel()} {tensor.dtype}.");
    }

    private static Tensor Sum(Tensor[] tensors)
    {
        var sum = tensors[0].detach().clone();
        foreach (var tensor in tensors[1..])
            sum.add_(tensor);
        return sum;
    }

    private static void Copy(Tensor source, Tensor target) => target.copy_(source.view(target.shape));

    /// <summary>What the ranks have in common; locked by itself.</summary>
    private sealed class Meeting(int size)
    {
        /// <summary>Longer than any test computes between two operations.</summary>
        private static readonly TimeSpan limit = TimeSpan.FromMinutes(2);

        private readonly Dictionary<int, Operation> operations = [];
        private readonly HashSet<int> left = [];
        private ExceptionDispatchInfo? failure;

        public int Size => size;

        /// <summary>The first failure is kept; every wait ends.</summary>
        public void Fail(Exception exception)
        {
            lock (this)
            {
                failure ??= ExceptionDispatchInfo.Capture(exception);
                Monitor.PulseAll(this);
            }
        }

        public void Leave(int rank)
        {
            lock (this)
            {
                left.Add(rank);
                Monitor.PulseAll(this);
            }
        }

        public void ThrowFailure() => failure?.Throw();

        /// <summary>A rank's part in the operation of this number, which the last rank to come completes.</summary>
        public Operation Come(int number, int rank, string name, object input, Func<object[], object> combine)
        {
            lock (this)
            {
                ThrowFailure();
                if (!operations.TryGetValue(number, out var operation))
                    operations.Add(number, operation = new Operation(number, name, size));
                if (operation.Name != name)
                    throw new InvalidOperationException(
                        $"Operation {number} of rank {rank} is {name}, and of another rank {operation.Name}.");
                operation.Inputs[rank] = input;
                operation.Missing.Remove(rank);
                if (operation.Missing.Count > 0)
                    return operation;
                using (no_grad())
                using (var scope = NewDisposeScope())
                {
                    operation.Result = combine(operation.Inputs);
                    (operation.Result as Tensor)?.DetachFromDisposeScope();
                }
                Monitor.PulseAll(this);
                return operation;
            }
        }

        /// <summary>Returns when the operation has a result.</summary>
        public void Await(Operation operation)
        {
            lock (this)
                while (operation.Result is null)
                {
                    ThrowFailure();
                    if (operation.Missing.FirstOrDefault(left.Contains, -1) is var rank and >= 0)
                        throw new InvalidOperationException($"Rank {rank} has ended, and others wait for it in {operation.Name}.");
                    if (!Monitor.Wait(this, limit))
                        throw new TimeoutException($"Ranks {string.Join(' ', operation.Missing)} did not come to {operation.Name}.");
                }
        }

        /// <summary>A rank has what it needs; with the last one the result goes.</summary>
        public void Release(Operation operation)
        {
            lock (this)
                if (++operation.TakenCount == size)
                {
                    operations.Remove(operation.Number);
                    (operation.Result as Tensor)?.Dispose();
                }
        }
    }

    private sealed class Operation(int number, string name, int size)
    {
        public int Number => number;

        public string Name => name;

        public object[] Inputs { get; } = new object[size];

        public HashSet<int> Missing { get; } = [.. Enumerable.Range(0, size)];

        public object? Result { get; set; }

        public int TakenCount { get; set; }
    }

    private sealed class Work(ThreadCollective collective, Operation operation, Action take) : ICollectiveWork
    {
        public string Name => operation.Name;

        public void Wait()
        {
            if (!collective.unfinished.Contains(this))
                return;
            collective.meeting.Await(operation);
            using (no_grad())
            using (NewDisposeScope())
                take();
            collective.unfinished.Remove(this);
            collective.meeting.Release(operation);
        }
    }
}
