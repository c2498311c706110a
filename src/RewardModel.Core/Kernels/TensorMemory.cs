using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>Where kernels have the memory of their results from: for large ones <see cref="PagePool"/>, where there is one.</summary>
internal static unsafe partial class TensorMemory
{
    /// <summary>Smaller tensors are left to libtorch's own allocator.</summary>
    private const long smallestPlace = 1 << 20;

    // Never released: tensors may outlive every other static object.
    private static readonly PagePool? pool =
        OperatingSystem.IsLinux() ? new PagePool(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) : null;

    private static readonly bool isGlibc = SetUpGlibc();

    /// <summary>A float32 tensor on the CPU whose numbers are not set.</summary>
    public static Tensor Empty(params ReadOnlySpan<long> shape) => Empty(ScalarType.Float32, shape);

    /// <summary>A contiguous copy of a tensor on the CPU in bfloat16, or of one in bfloat16 in float32.</summary>
    public static Tensor Converted(Tensor tensor)
    {
        var result = Empty(tensor.dtype == bfloat16 ? float32 : bfloat16, tensor.shape);
        result.copy_(tensor);
        return result;
    }

    /// <summary>A float32 or bfloat16 tensor on the CPU whose numbers are not set.</summary>
    public static Tensor Empty(ScalarType type, params ReadOnlySpan<long> shape)
    {
        long bytes = type == ScalarType.Float32 ? 4 : 2;
        foreach (var size in shape)
            bytes *= size;
        var place = bytes < smallestPlace || pool is null ? null : pool.Take(bytes);
        return place == null ? empty(shape, type) : LibTorchSharp.TensorOver(place, shape, type, &Release);
    }

    /// <summary>
    /// Gives the memory that tensors have left, and that is kept for the next ones, back to the system: what is kept here, and what glibc keeps.
    /// </summary>
    public static void ReleaseFree()
    {
        pool?.ReleaseFree();
        if (isGlibc)
            _ = Trim(0);
    }

    /// <summary>
    /// What operators of libtorch allocate: large tensors in pages of their own, which go back when they are released, so that there are no
    /// holes between them; and the end of the heap is kept, for the small ones of the next step. What the environment says already stays.
    /// </summary>
    private static bool SetUpGlibc()
    {
        const int trimThreshold = -1, mmapThreshold = -3;
        var isThere = OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "malloc_trim", out _);
        if (isThere && Environment.GetEnvironmentVariable("MALLOC_MMAP_THRESHOLD_") is null)
        {
            _ = Configure(mmapThreshold, (int)smallestPlace);
            _ = Configure(trimThreshold, 64 << 20);
        }
        return isThere;
    }

    [UnmanagedCallersOnly]
    private static void Release(void* data) => pool!.Release(data);

    // mallopt(3) and malloc_trim(3).
    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Configure(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}
