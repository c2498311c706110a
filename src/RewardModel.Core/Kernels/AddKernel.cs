using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>The sum of two tensors of one shape, in <see cref="TensorMemory"/>; float32 on the CPU.</summary>
internal sealed unsafe class AddKernel : Kernel<AddKernel, ValueTuple>
{
    /// <summary>Numbers that one thread adds at a time.</summary>
    private const int numbersPerTask = 1 << 15;

    /// <summary>Whether it is worth it.</summary>
    public static bool CanTake(Tensor left) => KernelSupport.CanTake(left) && left.numel() >= KernelSupport.LeastElements;

    protected override Tensor[] Compute(ValueTuple settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor left = inputs[0]!.contiguous(), right = inputs[1]!.contiguous();
        var result = TensorMemory.Empty(left.shape);
        float* leftData = (float*)LibTorch.DataOf(left), rightData = (float*)LibTorch.DataOf(right);
        var (resultData, length) = ((IntPtr)LibTorch.DataOf(result), left.numel());
        TorchThreads.Run(checked((int)((length + numbersPerTask - 1) / numbersPerTask)), task =>
        {
            var first = (nint)task * numbersPerTask;
            Add(leftData + first, rightData + first, (float*)resultData + first, (int)Math.Min(numbersPerTask, length - first));
        });
        return [result];
    }

    protected override Tensor?[] Gradients(ValueTuple settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed) =>
        [gradients[0]!.detach(), gradients[0]!.detach()];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(float* left, float* right, float* result, int length)
    {
        var i = 0;
        for (; i <= length - Lanes256.Count; i += Lanes256.Count)
            (Lanes256.Load(left + i) + Lanes256.Load(right + i)).Store(result + i);
        for (; i < length; i++)
            result[i] = left[i] + right[i];
    }
}
