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
    /// <summary>The functions of the shim that are called here.</summary>
    internal static readonly string[] Functions = ["ts_attention", "ts_attention_available", "ts_gelu_tanh", "ts_last_error"];

    private static readonly IntPtr[] functions = Load();
    private static readonly delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, double, long, long, IntPtr*, int> attention =
        (delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, double, long, long, IntPtr*, int>)functions[0];
    private static readonly delegate* unmanaged<int> isAttentionAvailable = (delegate* unmanaged<int>)functions[1];
    private static readonly delegate* unmanaged<IntPtr, IntPtr*, int> geluTanh = (delegate* unmanaged<IntPtr, IntPtr*, int>)functions[2];
    private static readonly delegate* unmanaged<byte*> lastError = (delegate* unmanaged<byte*>)functions[3];

    /// <summary>Whether the kernels are there.</summary>
    public static bool AreAvailable { get; } = isAttentionAvailable != null && isAttentionAvailable() != 0;

    /// <summary>0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).</summary>
    public static Tensor GeluTanh(Tensor x)
    {
        IntPtr result;
        Check(geluTanh(x.Handle, &result));
        GC.KeepAlive(x);
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
        // Outside of a dispose scope nothing else holds them while the kernel reads them.
        GC.KeepAlive(q_RNH);
        GC.KeepAlive(k_TMH);
        GC.KeepAlive(v_TMH);
        GC.KeepAlive(segments_S5);
        return Tensor.UnsafeCreateTensor(result);
    }

    private static IntPtr[] Load()
    {
        // With its first tensor TorchSharp loads the shim, if it is the one that has it.
        empty(0).Dispose();
        return NativeLibrary.TryLoad("libtorch_shim.so", out var library)
            ? [.. Functions.Select(name => NativeLibrary.GetExport(library, name))]
            : new IntPtr[Functions.Length];
    }

    private static void Check(int status)
    {
        if (status != 0)
            throw new ExternalException(Marshal.PtrToStringUTF8((IntPtr)lastError()));
    }
}
