using System.Runtime.InteropServices;

namespace RewardModel.Distributed;

/// <summary>What is called of CUDA's runtime library (cuda_runtime_api.h): streams and events, which TorchSharp has none of.</summary>
/// <remarks>libtorch, as TorchSharp uses it, asks for everything on the default stream, which is 0.</remarks>
internal sealed unsafe class CudaRuntime
{
    /// <summary>The functions that are called here.</summary>
    internal static readonly string[] Functions =
    [
        "cudaEventCreateWithFlags", "cudaEventDestroy", "cudaEventQuery", "cudaEventRecord", "cudaGetErrorString", "cudaSetDevice",
        "cudaStreamCreateWithFlags", "cudaStreamDestroy", "cudaStreamSynchronize", "cudaStreamWaitEvent",
    ];

    private const uint streamNonBlocking = 1, eventDisableTiming = 2;

    /// <summary>cudaErrorNotReady.</summary>
    private const int notReady = 600;

    private readonly delegate* unmanaged<IntPtr*, uint, int> createEvent;
    private readonly delegate* unmanaged<IntPtr, int> destroyEvent;
    private readonly delegate* unmanaged<IntPtr, int> queryEvent;
    private readonly delegate* unmanaged<IntPtr, IntPtr, int> recordEvent;
    private readonly delegate* unmanaged<int, byte*> getErrorText;
    private readonly delegate* unmanaged<int, int> setDevice;
    private readonly delegate* unmanaged<IntPtr*, uint, int> createStream;
    private readonly delegate* unmanaged<IntPtr, int> destroyStream;
    private readonly delegate* unmanaged<IntPtr, int> synchronizeStream;
    private readonly delegate* unmanaged<IntPtr, IntPtr, uint, int> waitForEvent;

    private CudaRuntime(IntPtr library)
    {
        createEvent = (delegate* unmanaged<IntPtr*, uint, int>)NativeLibrary.GetExport(library, "cudaEventCreateWithFlags");
        destroyEvent = (delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(library, "cudaEventDestroy");
        queryEvent = (delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(library, "cudaEventQuery");
        recordEvent = (delegate* unmanaged<IntPtr, IntPtr, int>)NativeLibrary.GetExport(library, "cudaEventRecord");
        getErrorText = (delegate* unmanaged<int, byte*>)NativeLibrary.GetExport(library, "cudaGetErrorString");
        setDevice = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice");
        createStream = (delegate* unmanaged<IntPtr*, uint, int>)NativeLibrary.GetExport(library, "cudaStreamCreateWithFlags");
        destroyStream = (delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(library, "cudaStreamDestroy");
        synchronizeStream = (delegate* unmanaged<IntPtr, int>)NativeLibrary.GetExport(library, "cudaStreamSynchronize");
        waitForEvent = (delegate* unmanaged<IntPtr, IntPtr, uint, int>)NativeLibrary.GetExport(library, "cudaStreamWaitEvent");
    }

    /// <exception cref="DistributedException">It is not there.</exception>
    public static CudaRuntime Open() => MappedLibrary.Find(
        "libcudart", ["libcudart.so.13", "libcudart.so.12"], "../../nvidia/cuda_runtime/lib", "cudaStreamWaitEvent", out _)
        is var library and not 0
        ? new CudaRuntime(library)
        : throw new DistributedException(
            "CUDA's runtime library (libcudart.so.12 or libcudart.so.13) is not in this process and not where the system looks for "
            + "libraries. Expected that of libtorch for CUDA: add its folder to LD_LIBRARY_PATH.");

    /// <summary>Of the calling thread.</summary>
    public void SetDevice(int device) => Check(setDevice(device), "cudaSetDevice");

    /// <summary>A stream that does not wait for the default stream by itself.</summary>
    public IntPtr NewStream()
    {
        IntPtr stream;
        Check(createStream(&stream, streamNonBlocking), "cudaStreamCreateWithFlags");
        return stream;
    }

    /// <summary>Returns when all that the stream was asked for is done.</summary>
    public void Synchronize(IntPtr stream) => Check(synchronizeStream(stream), "cudaStreamSynchronize");

    public void DestroyStream(IntPtr stream) => Check(destroyStream(stream), "cudaStreamDestroy");

    /// <summary>An event that has come when what a stream was asked for so far is done.</summary>
    public IntPtr NewEvent(IntPtr stream)
    {
        IntPtr created;
        Check(createEvent(&created, eventDisableTiming), "cudaEventCreateWithFlags");
        Check(recordEvent(created, stream), "cudaEventRecord");
        return created;
    }

    /// <summary>The event may be still to come.</summary>
    public void DestroyEvent(IntPtr created) => Check(destroyEvent(created), "cudaEventDestroy");

    /// <summary>Whether an event has come.</summary>
    public bool HasCome(IntPtr created)
    {
        var code = queryEvent(created);
        if (code != notReady)
            Check(code, "cudaEventQuery");
        return code != notReady;
    }

    /// <summary>What the stream is asked for from now on comes after the event.</summary>
    public void WaitFor(IntPtr created, IntPtr stream) => Check(waitForEvent(stream, created, 0), "cudaStreamWaitEvent");

    private void Check(int code, string function)
    {
        if (code != 0)
            throw new DistributedException($"{function} failed: {Marshal.PtrToStringUTF8((IntPtr)getErrorText(code))}");
    }
}
