using TorchSharp;
using static TorchSharp.torch;
namespace RewardModel.Layers;
internal enum NativeActivation { Gelu = 0, GeluTanh = 1, Silu = 2 }
internal static class NativeKernels
{
    public static bool AreAvailable => false;
    public static bool CanTake(Tensor tensor) => false;
    public static bool HasFlashAttention => false;
    public static bool HasFlashWindows => false;
    public static Tensor GeluTanh(Tensor x) => x.gelu();
    public static Tensor ActivatedLinear(Tensor x_TI, Tensor? up_TI, NativeActivation activation, Tensor weight_OI, Tensor? bias, Precision precision) => throw new NotSupportedException();
    public static Tensor Attention(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, Tensor segments_S5, AttentionOptions options) => throw new NotSupportedException();
    public static Tensor FlashAttention(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, FlashSegments segments, double scale, bool isCausal, AttentionReach window) => throw new NotSupportedException();
    public static bool HasFusedAdamW(DeviceType type) => false;
    public static void FusedAdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] firstMoments, Tensor[] secondMoments, long step, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, double gradientScale) => throw new NotSupportedException();
    public static void ReleaseFreeMemory() { }
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon, double offset) => throw new NotSupportedException();
    public static Tensor Rotate(Tensor x_TNH, Tensor cos, Tensor sin) => throw new NotSupportedException();
}
