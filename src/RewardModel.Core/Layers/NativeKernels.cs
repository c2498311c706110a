using TorchSharp;
using static TorchSharp.torch;
namespace RewardModel.Layers;
internal static class NativeKernels
{
    public static bool HasFlashAttention => false;
    public static bool HasFlashWindows => false;
    public static Tensor FlashAttention(Tensor q_RNH, Tensor k_TMH, Tensor v_TMH, FlashSegments segments, double scale, bool isCausal, AttentionReach window) => throw new NotSupportedException();
    public static bool HasFusedAdamW(DeviceType type) => false;
    public static void FusedAdamW(Tensor[] parameters, Tensor[] gradients, Tensor[] firstMoments, Tensor[] secondMoments, long step, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, double gradientScale) => throw new NotSupportedException();
}
