using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>The pointwise functions of <see cref="NativeKernels.ActivatedLinear"/>: <c>ts_activation</c>.</summary>
internal enum NativeActivation
{
    Gelu = 0,
    GeluTanh = 1,
    Silu = 2,
}

/// <summary>
/// Kernels of the shim under <c>compat/TorchSharp</c>, for what takes several of TorchSharp's operators. Where the shim is absent, as
/// under the packages, nothing here may be called: the callers compose operators instead.
/// </summary>
internal static unsafe class NativeKernels
{
    /// <summary>The functions of the shim that are called here.</summary>
    internal static readonly string[] Functions =
    [
        "ts_activated_linear", "ts_attention", "ts_attention_available", "ts_flash_attention", "ts_flash_attention_available",
        "ts_fused_adamw", "ts_fused_adamw_available", "ts_gelu_tanh", "ts_last_error", "ts_release_free_memory", "ts_rms_norm",
        "ts_rotate",
    ];

    private static readonly Dictionary<string, IntPtr> functions = Load();
    private static readonly delegate* unmanaged<IntPtr, IntPtr, int, IntPtr, IntPtr, int, IntPtr*, int> activatedLinear =
        (delegate* unmanaged<IntPtr, IntPtr, int, IntPtr, IntPtr, int, IntPtr*, int>)functions["ts_activated_linear"];
    private static readonly delegate* unmanaged<
        IntPtr, IntPtr, IntPtr, IntPtr, double, long, long, double, double, IntPtr*, int> attention =
        (delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr, double, long, long, double, double, IntPtr*, int>)functions["ts_attention"];
    private static readonly delegate* unmanaged<int> isAttentionAvailable = (delegate* unmanaged<int>)functions["ts_attention_available"];
    private static readonly delegate* unmanaged<IntPtr, IntPtr, IntPtr, Ranges*, double, int, long, long, IntPtr*, int> flashAttention =
        (delegate* unmanaged<IntPtr, IntPtr, IntPtr, Ranges*, double, int, long, long, IntPtr*, int>)functions["ts_flash_attention"];
    private static readonly delegate* unmanaged<int> isFlashAttentionAvailable =
        (delegate* unmanaged<int>)functions["ts_flash_attention_available"];
    private static readonly delegate* unmanaged<
        IntPtr*, IntPtr*, IntPtr*, IntPtr*, int, long, double, double, double, double, double, double, int> fusedAdamW =
        (delegate* unmanaged<
            IntPtr*, IntPtr*, IntPtr*, IntPtr*, int, long, double, double, double, double, double, double, int>)functions["ts_fused_adamw"];
    private static readonly delegate* unmanaged<int, int> isFusedAdamWAvailable =
        (delegate* unmanaged<int, int>)functions["ts_fused_adamw_available"];
    private static readonly delegate* unmanaged<IntPtr, IntPtr*, int> geluTanh =
        (delegate* unmanaged<IntPtr, IntPtr*, int>)functions["ts_gelu_tanh"];
    private static readonly delegate* unmanaged<byte*> lastError = (delegate* unmanaged<byte*>)functions["ts_last_error"];
    private static readonly delegate* unmanaged<void> releaseFreeMemory =
        (delegate* unmanaged<void>)functions["ts_release_free_memory"];
    private static readonly delegate* unmanaged<IntPtr, IntPtr, double, double, IntPtr*, int> rmsNorm =
        (delegate* unmanaged<IntPtr, IntPtr, double, double, IntPtr*, int>)functions["ts_rms_norm"];
    private static readonly delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr*, int> rotate =
        (delegate* unmanaged<IntPtr, IntPtr, IntPtr, IntPtr*, int>)functions["ts_rotate"];
    private static readonly int flashLevel = isFlashAttentionAvailable == null ? 0 : isFlashAttentionAvailable();

    /// <summary>Whether the kernels are there.</summary>
    public static bool AreAvailable { get; } = isAttentionAvailable != null && isAttentionAvailable() != 0;

    /// <summary>Whether the kernels can compute with a tensor.</summary>
    public static bool CanTake(Tensor tensor) => AreAvailable && tensor.device_type == DeviceType.CPU;

    /// <summary>Whether <see cref="FlashAttention"/> works on GPUs.</summary>
    public static bool HasFlashAttention => flashLevel > 0;

    /// <summary>Whether it also does so where queries see a window of their segment's keys.</summary>
    public static bool HasFlashWindows => flashLevel > 1;

    /// <summary>0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), on every device.</summary>
    public static Tensor GeluTanh(Tensor x)
    {
        IntPtr result;
        Check(geluTanh(x.Handle, &result));
        GC.KeepAlive(x);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>f(x) W^T + b, or (f(x) * up) W^T + b, see <c>ts_activated_linear</c>; on every device.</summary>
    /// <param name="x_TI">[T, I], float32.</param>
    /// <param name="up_TI">[T, I], float32, or null.</param>
    /// <param name="activation">f.</param>
    /// <param name="weight_OI">[O, I], float32.</param>
    /// <param name="bias">[O], float32, or null.</param>
    /// <param name="precision">The type that the product takes.</param>
    /// <returns>[T, O], float32.</returns>
    public static Tensor ActivatedLinear(
        Tensor x_TI, Tensor? up_TI, NativeActivation activation, Tensor weight_OI, Tensor? bias, Precision precision)
    {
        IntPtr result;
        Check(activatedLinear(
            x_TI.Handle, up_TI?.Handle ?? IntPtr.Zero, (int)activation, weight_OI.Handle, bias?.Handle ?? IntPtr.Zero,
            precision == Precision.Bfloat16 ? 1 : 0, &result));
        GC.KeepAlive(x_TI);
        GC.KeepAlive(up_TI);
        GC.KeepAlive(weight_OI);
        GC.KeepAlive(bias);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>softmax(scale q k^T) v over packed sequences, see <c>ts_attention</c>.</summary>
    /// <param name="q_RNH">Queries, float32 on the CPU.</param>
    /// <param name="k_TMH">Keys; M divides N.</param>
    /// <param name="v_TMH">Values.</param>
    /// <param name="segments_S5">Where the keys and queries of each segment lie, int64.</param>
    /// <param name="options">What the architecture does differently; a bias is not among what the kernel can do.</param>
    /// <returns>[R, N, H].</returns>
    public static Tensor Attention(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, Tensor segments_S5, AttentionOptions options)
    {
        IntPtr result;
        Check(attention(
            q_RNH.Handle, k_TMH.Handle, v_TMH.Handle, segments_S5.Handle, options.Scale, options.Reach.Before, options.Reach.After,
            options.SoftCap ?? 0, options.Dropout, &result));
        // Outside of a dispose scope nothing else holds them while the kernel reads them.
        GC.KeepAlive(q_RNH);
        GC.KeepAlive(k_TMH);
        GC.KeepAlive(v_TMH);
        GC.KeepAlive(segments_S5);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>softmax(scale q k^T) v over packed sequences by libtorch's flash attention, see <c>ts_flash_attention</c>.</summary>
    /// <param name="q_RNH">Queries in the order of their segments: 16 bits on a GPU, of any floating type on the CPU.</param>
    /// <param name="k_TMH">Keys; M divides N.</param>
    /// <param name="v_TMH">Values.</param>
    /// <param name="segments">Where the keys and queries of each segment lie, on the same device.</param>
    /// <param name="scale">Factor on the products of queries and keys.</param>
    /// <param name="isCausal">A query sees its segment's keys up to itself.</param>
    /// <param name="window">How far before and after it it sees those.</param>
    /// <returns>[R, N, H].</returns>
    public static Tensor FlashAttention(
        Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, FlashSegments segments, double scale, bool isCausal, AttentionReach window)
    {
        static long Limit(int distance) => distance == int.MaxValue ? -1 : distance;
        var ranges = new Ranges
        {
            OwnQueries = segments.OwnQueries.Handle,
            OwnKeys = segments.OwnKeys.Handle,
            FamilyQueries = segments.FamilyQueries.Handle,
            FamilyKeys = segments.FamilyKeys.Handle,
            FamilyRows = segments.FamilyRows.Handle,
            LongestOwnQueries = segments.LongestOwnQueries,
            LongestOwnKeys = segments.LongestOwnKeys,
            LongestFamilyQueries = segments.LongestFamilyQueries,
            LongestFamilyKeys = segments.LongestFamilyKeys,
            ParentRowCount = segments.ParentRowCount,
        };
        IntPtr result;
        Check(flashAttention(
            q_RNH.Handle, k_TMH.Handle, v_TMH.Handle, &ranges, scale, isCausal ? 1 : 0, Limit(window.Before), Limit(window.After),
            &result));
        GC.KeepAlive(q_RNH);
        GC.KeepAlive(k_TMH);
        GC.KeepAlive(v_TMH);
        GC.KeepAlive(segments);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>Whether <see cref="FusedAdamW"/> works on devices of that type.</summary>
    public static bool HasFusedAdamW(DeviceType type) => isFusedAdamWAvailable != null && isFusedAdamWAvailable((int)type) != 0;

    /// <summary>
    /// One step of AdamW with libtorch's fused operator, see <c>ts_fused_adamw</c>. All lists have the same length and order, all
    /// tensors are float32 on one device; gradients are scaled in place.
    /// </summary>
    public static void FusedAdamW(
        Tensor[] parameters, Tensor[] gradients, Tensor[] firstMoments, Tensor[] secondMoments, long step, double learningRate,
        double beta1, double beta2, double epsilon, double weightDecay, double gradientScale)
    {
        static IntPtr[] Handles(Tensor[] tensors) => Array.ConvertAll(tensors, tensor => tensor.Handle);
        fixed (IntPtr* p = Handles(parameters), g = Handles(gradients), m = Handles(firstMoments), v = Handles(secondMoments))
            Check(fusedAdamW(
                p, g, m, v, parameters.Length, step, learningRate, beta1, beta2, epsilon, weightDecay, gradientScale));
        GC.KeepAlive(parameters);
        GC.KeepAlive(gradients);
        GC.KeepAlive(firstMoments);
        GC.KeepAlive(secondMoments);
    }

    /// <summary>
    /// Gives the memory that tensors have left, and that is kept for the next ones, back to the system; without the shim nothing keeps it.
    /// </summary>
    public static void ReleaseFreeMemory()
    {
        if (releaseFreeMemory != null)
            releaseFreeMemory();
    }

    /// <summary>x / sqrt(mean(x^2) + epsilon) * (weight + offset) over the last dimension.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon, double offset)
    {
        IntPtr result;
        Check(rmsNorm(x.Handle, weight.Handle, epsilon, offset, &result));
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary>Rotary positions, see <see cref="RotaryEmbedding.Rotate"/>.</summary>
    public static Tensor Rotate(Tensor x_TNH, Tensor cos, Tensor sin)
    {
        IntPtr result;
        Check(rotate(x_TNH.Handle, cos.Handle, sin.Handle, &result));
        GC.KeepAlive(x_TNH);
        GC.KeepAlive(cos);
        GC.KeepAlive(sin);
        return Tensor.UnsafeCreateTensor(result);
    }

    /// <summary><c>ts_flash_segments</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Ranges
    {
        public IntPtr OwnQueries;
        public IntPtr OwnKeys;
        public IntPtr FamilyQueries;
        public IntPtr FamilyKeys;
        public IntPtr FamilyRows;
        public int LongestOwnQueries;
        public int LongestOwnKeys;
        public int LongestFamilyQueries;
        public int LongestFamilyKeys;
        public long ParentRowCount;
    }

    private static Dictionary<string, IntPtr> Load()
    {
        // With its first tensor TorchSharp loads the shim, if it is the one that has it.
        empty(0).Dispose();
        var hasShim = NativeLibrary.TryLoad("libtorch_shim.so", out var library);
        return Functions.ToDictionary(name => name, name => hasShim ? NativeLibrary.GetExport(library, name) : IntPtr.Zero);
    }

    private static void Check(int status)
    {
        if (status != 0)
            throw new ExternalException(Marshal.PtrToStringUTF8((IntPtr)lastError()));
    }
}
