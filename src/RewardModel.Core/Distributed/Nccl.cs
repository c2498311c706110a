using System.Runtime.InteropServices;

namespace RewardModel.Distributed;

/// <summary>NCCL's C interface (nccl.h, NCCL 2). Every function of it that is called is here.</summary>
internal sealed unsafe class Nccl
{
    /// <summary>Bytes of what rank 0 makes and all ranks join by (ncclUniqueId).</summary>
    public const int IdBytes = 128;

    /// <summary>The functions that are called here.</summary>
    internal static readonly string[] Functions =
    [
        "ncclAllGather", "ncclAllReduce", "ncclBroadcast", "ncclCommDestroy", "ncclCommInitRank", "ncclGetErrorString",
        "ncclGetUniqueId", "ncclGetVersion", "ncclGroupEnd", "ncclGroupStart", "ncclReduce", "ncclReduceScatter",
    ];

    private const int float32 = 7, float64 = 8, sum = 0;

    private readonly string file;
    private readonly delegate* unmanaged<void*, void*, nuint, int, IntPtr, IntPtr, int> allGather;
    private readonly delegate* unmanaged<void*, void*, nuint, int, int, IntPtr, IntPtr, int> allReduce;
    private readonly delegate* unmanaged<void*, void*, nuint, int, int, IntPtr, IntPtr, int> broadcast;
    private readonly delegate* unmanaged<IntPtr, int> destroy;
    private readonly delegate* unmanaged<IntPtr*, int, Id, int, int> initialize;
    private readonly delegate* unmanaged<int, byte*> getErrorText;
    private readonly delegate* unmanaged<Id*, int> getId;
    private readonly delegate* unmanaged<int*, int> getVersion;
    private readonly delegate* unmanaged<int> endGroup;
    private readonly delegate* unmanaged<int> startGroup;
    private readonly delegate* unmanaged<void*, void*, nuint, int, int, int, IntPtr, IntPtr, int> reduce;
    private readonly delegate* unmanaged<void*, void*, nuint, int, int, IntPtr, IntPtr, int> reduceScatter;

    private Nccl(IntPtr library, string file)
    {
        this.file = file;
        allGather = (delegate* unmanaged<void*, void*, nuint, int, IntPtr, IntPtr, int>)NativeLibrary.GetExport(library, "ncclAllGather");
        allReduce =
            (delegate* unmanaged<void*, void*, nuint, int, int, IntPtr, IntPtr, int>)NativeLibrary.GetExport(library, "ncclAllReduce");
        broadcast =
            (delegate* unmanaged<void*, void*, nuint, int, int, IntPtr, IntPtr, int>)NativeLibrary.GetExport(library, "ncclBroadcast");
        destroy = (delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(library, "ncclCommDestroy");
        initialize = (delegate* unmanaged<IntPtr*, int, Id, int, int>)NativeLibrary.GetExport(library, "ncclCommInitRank");
        getErrorText = (delegate* unmanaged<int, byte*>)NativeLibrary.GetExport(library, "ncclGetErrorString");
        getId = (delegate* unmanaged<Id*, int>)NativeLibrary.GetExport(library, "ncclGetUniqueId");
        getVersion = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "ncclGetVersion");
        endGroup = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "ncclGroupEnd");
        startGroup = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "ncclGroupStart");
        reduce =
            (delegate* unmanaged<void*, void*, nuint, int, int, int, IntPtr, IntPtr, int>)NativeLibrary.GetExport(library, "ncclReduce");
        reduceScatter =
            (delegate* unmanaged<void*, void*, nuint, int, int, IntPtr, IntPtr, int>)NativeLibrary.GetExport(library, "ncclReduceScatter");
    }

    /// <summary>Version and file: "NCCL 2.27.3 (libnccl.so.2)".</summary>
    public string Description
    {
        get
        {
            int code;
            Check(getVersion(&code), "ncclGetVersion");
            return $"NCCL {VersionOf(code)} ({file})";
        }
    }

    /// <exception cref="DistributedException">It is not there.</exception>
    public static Nccl Open() =>
        MappedLibrary.Find("libnccl", ["libnccl.so.2"], "../../nvidia/nccl/lib", "ncclAllReduce", out var file) is var library and not 0
        ? new Nccl(library, file)
        : throw new DistributedException(
            "NCCL (libnccl.so.2) is not in this process, not beside libtorch and not where the system looks for libraries. Expected NCCL "
            + "2: add the folder of the one that PyTorch brings (nvidia/nccl/lib of Python's packages) to LD_LIBRARY_PATH, or "
            + "install libnccl2.");

    /// <summary>What rank 0 makes, and all join by.</summary>
    public byte[] NewId()
    {
        Id id;
        Check(getId(&id), "ncclGetUniqueId");
        return new Span<byte>(&id, IdBytes).ToArray();
    }

    /// <summary>Joins the ranks, with the GPU that the calling thread has set; returns when all have come.</summary>
    public IntPtr Join(byte[] id, int rank, int size)
    {
        IntPtr group;
        Check(initialize(&group, size, MemoryMarshal.Read<Id>(id), rank), "ncclCommInitRank");
        return group;
    }

    /// <summary>After all that was asked for is done.</summary>
    public void Leave(IntPtr group) => Check(destroy(group), "ncclCommDestroy");

    public void AllReduce(void* numbers, long count, bool isDouble, IntPtr group, IntPtr stream) =>
        Check(allReduce(numbers, numbers, (nuint)count, TypeOf(isDouble), sum, group, stream), "ncclAllReduce");

    /// <summary>Into even parts, of as many numbers.</summary>
    public void ReduceScatter(void* numbers, void* part, long count, bool isDouble, IntPtr group, IntPtr stream) =>
        Check(reduceScatter(numbers, part, (nuint)count, TypeOf(isDouble), sum, group, stream), "ncclReduceScatter");

    /// <summary>The result is the root's.</summary>
    public void Reduce(void* numbers, void* result, long count, bool isDouble, int root, IntPtr group, IntPtr stream) =>
        Check(reduce(numbers, result, (nuint)count, TypeOf(isDouble), sum, root, group, stream), "ncclReduce");

    /// <summary>Of even parts, of as many numbers.</summary>
    public void AllGather(void* part, void* all, long count, bool isDouble, IntPtr group, IntPtr stream) =>
        Check(allGather(part, all, (nuint)count, TypeOf(isDouble), group, stream), "ncclAllGather");

    /// <summary>What is sent is the root's.</summary>
    public void Broadcast(void* sent, void* received, long count, bool isDouble, int root, IntPtr group, IntPtr stream) =>
        Check(broadcast(sent, received, (nuint)count, TypeOf(isDouble), root, group, stream), "ncclBroadcast");

    /// <summary>Several operations as one.</summary>
    public void Together(Action operations)
    {
        Check(startGroup(), "ncclGroupStart");
        try
        {
            operations();
        }
        catch
        {
            _ = endGroup();
            throw;
        }
        Check(endGroup(), "ncclGroupEnd");
    }

    /// <summary>22703 is 2.27.3; before 2.9 it was 2803 for 2.8.3.</summary>
    internal static string VersionOf(int code) =>
        code >= 10_000 ? $"{code / 10_000}.{code / 100 % 100}.{code % 100}" : $"{code / 1000}.{code / 100 % 10}.{code % 100}";

    private static int TypeOf(bool isDouble) => isDouble ? float64 : float32;

    private void Check(int code, string function)
    {
        if (code != 0)
            throw new DistributedException(
                $"{function} of {file} failed: {Marshal.PtrToStringUTF8((IntPtr)getErrorText(code))}. Expected a GPU for each rank, all of "
                + "which reach each other: NCCL_DEBUG=WARN says more.");
    }

    /// <summary>ncclUniqueId, which is passed by value.</summary>
    private struct Id
    {
        public fixed byte Bytes[IdBytes];
    }
}
