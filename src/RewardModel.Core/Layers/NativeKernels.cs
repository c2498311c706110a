using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// Kernels of the shim under <c>compat/TorchSharp</c>, for what takes several of TorchSharp's operators. Where the shim is absent, as
/// under the packages, nothing here may be called: the callers compose operators instead.
/// </summary>
internal static unsafe class NativeKernels
{
    private static readonly IntPtr library = Load();
    private static readonly delegate* unmanaged<byte*> lastError = (delegate* unmanaged<byte*>)Export("ts_last_error");
    private static readonly delegate* unmanaged<IntPtr, IntPtr*, int> geluTanh =
        (delegate* unmanaged<IntPtr, IntPtr*, int>)Export("ts_gelu_tanh");
    private static readonly delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, double, long, long, IntPtr*, int> attention =
        (delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, double, long, long, IntPtr*, int>)Export("ts_attention");

    /// <summary>Whether the kernels are there.</summary>
    public static bool AreAvailable { get; } =
        library != IntPtr.Zero && ((delegate* unmanaged<int>)Export("ts_attention_available"))() != 0;

    /// <summary>Whether the kernels are used; tests switch them off to compare.</summary>
    public static bool AreUsed { get; set; } = AreAvailable;

    /// <summary>0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).</summary>
    public static Tensor GeluTanh(Tensor x)
    {
        IntPtr result;
        Check(geluTanh(x.Handle, &result));
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>softmax(scale q k^T) v over packed sequences, see <c>ts_attention</c>.</summary>
    /// <param name="q_RNH">Queries, float32 on the CPU.</param>
    /// <param name="k_TMH">Keys; M divides N.</param>
    /// <param name="v_TMH">Values.</param>
    /// <param name="segments_S5">Where the keys and queries of each segment lie, int64.</param>
    /// <param name="scale">Factor on the products of queries and keys.</param>
    /// <param name="reach">The keys that a query sees.</param>
    /// <returns>[R, N, H].</returns>
    public static Tensor Attention(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, Tensor segments_S5, double scale, AttentionReach reach)
    {
        IntPtr result;
        Check(attention(q_RNH.Handle, k_TMH.Handle, v_TMH.Handle, segments_S5.Handle, scale, reach.Before, reach.After, &result));
        return Tensor.UnsafeCreateTensor(result);
    }

    // TorchSharp has loaded the shim, or there is none: a first tensor makes sure.
    private static IntPtr Load()
    {
        empty(0).Dispose();
        return NativeLibrary.TryLoad("libtorch_shim.so", out var handle) ? handle : IntPtr.Zero;
    }

    private static IntPtr Export(string name) => library == IntPtr.Zero ? IntPtr.Zero : NativeLibrary.GetExport(library, name);

    private static void Check(int status)
    {
        if (status != 0)
            throw new ExternalException(Marshal.PtrToStringUTF8((IntPtr)lastError()));
    }
}
