using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>The one function of TorchSharp's native library that TorchSharp calls itself, but offers for arrays of .NET only.</summary>
internal static unsafe class LibTorchSharp
{
    private static readonly delegate* unmanaged<
        void*, delegate* unmanaged<void*, void>, long*, int, sbyte, sbyte, int, int, byte, IntPtr> newTensor =
        (delegate* unmanaged<void*, delegate* unmanaged<void*, void>, long*, int, sbyte, sbyte, int, int, byte, IntPtr>)
        NativeLibrary.GetExport(NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null), "THSTensor_new");

    /// <summary>A tensor on the CPU over memory of the caller's.</summary>
    /// <param name="data">The numbers, row by row.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="type">Of the numbers.</param>
    /// <param name="release">Is given the memory back when nothing refers to it any more, on any thread.</param>
    public static Tensor TensorOver(void* data, ReadOnlySpan<long> shape, ScalarType type, delegate* unmanaged<void*, void> release)
    {
        fixed (long* sizes = shape)
            return Tensor.UnsafeCreateTensor(newTensor(data, release, sizes, shape.Length, (sbyte)type, (sbyte)type, 0, -1, 0));
    }
}
