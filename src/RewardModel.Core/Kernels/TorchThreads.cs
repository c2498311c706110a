using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace RewardModel.Kernels;

/// <summary>
/// Work on the threads that libtorch computes with: a second pool beside them would take the cores from them. How many there are is
/// <c>torch.set_num_threads</c>'s.
/// </summary>
internal static unsafe class TorchThreads
{
    /// <summary>Rows that one thread takes at a time. Fixed, so that sums by parts don't depend on the count of threads.</summary>
    public const int RowsPerTask = 16;

    /// <summary>Runs tasks of any size, each on the next thread that is free.</summary>
    /// <param name="count">Tasks.</param>
    /// <param name="task">Is given the task's number. Several run at once.</param>
    public static void Run(int count, Action<int> task)
    {
        var threads = count > 1 ? Math.Min(count, LibTorch.ThreadCount) : 1;
        if (threads == 1)
        {
            for (var i = 0; i < count; i++)
                task(i);
            return;
        }
        var work = new Work(count, task);
        var handle = GCHandle.Alloc(work);
        try
        {
            LibTorch.ParallelFor(0, threads, 1, &RunNext, (void*)GCHandle.ToIntPtr(handle));
        }
        finally
        {
            handle.Free();
        }
        work.Exception?.Throw();
    }

    /// <summary>Runs a body for rows [first, end), <see cref="RowsPerTask"/> of them at a time.</summary>
    public static void RunRows(long rows, Action<int, long, long> body) => Run(
        checked((int)((rows + RowsPerTask - 1) / RowsPerTask)),
        task => body(task, (long)task * RowsPerTask, Math.Min(rows, (task + 1L) * RowsPerTask)));

    [UnmanagedCallersOnly]
    private static void RunNext(long begin, long end, void* context)
    {
        var work = (Work)GCHandle.FromIntPtr((IntPtr)context).Target!;
        try
        {
            for (var i = work.Next(); i < work.Count; i = work.Next())
                work.Task(i);
        }
        catch (Exception exception)
        {
            // No exception may leave a function that native code has called.
            work.Exception = ExceptionDispatchInfo.Capture(exception);
        }
    }

    private sealed class Work(int count, Action<int> task)
    {
        private int taken;

        public int Count => count;

        public Action<int> Task => task;

        public ExceptionDispatchInfo? Exception { get; set; }

        public int Next() => Interlocked.Increment(ref taken) - 1;
    }
}
