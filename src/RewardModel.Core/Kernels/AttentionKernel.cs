using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="AttentionKernel"/> is told beside tensors.</summary>
internal sealed record AttentionSettings(AttentionProblem Problem, AttentionRule Rule);

/// <summary><see cref="PackedAttention"/> for autograd: q [R, N, H], k and v [T, M, H] to [R, N, H], float32 on the CPU.</summary>
internal sealed unsafe class AttentionKernel : Kernel<AttentionKernel, AttentionSettings>
{
    protected override Tensor Compute(AttentionSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor q = WithDenseHeads(inputs[0]!), k = WithDenseHeads(inputs[1]!), v = WithDenseHeads(inputs[2]!);
        var output = empty(q.shape);
        var logSums = empty(q.size(0), q.size(1));
        PackedAttention.Forward(settings.Problem, settings.Rule, ShapeOf(q, k), Rows(q), Rows(k), Rows(v), Rows(output), LogSums(logSums));
        saved?.AddRange([q, k, v, output, logSums]);
        return output;
    }

    protected override Tensor?[] Gradients(AttentionSettings settings, IReadOnlyList<Tensor?> saved, Tensor gradient, bool[] needed)
    {
        Tensor q = saved[0]!, k = saved[1]!, v = saved[2]!, output = saved[3]!, logSums = saved[4]!;
        gradient = WithDenseHeads(gradient);
        // Queries of no segment have no gradient; every key has one.
        var dq = settings.Problem.CoversQueries(q.size(0)) ? empty(q.shape) : zeros(q.shape);
        Tensor dk = empty(k.shape), dv = empty(v.shape);
        PackedAttention.Backward(
            settings.Problem, settings.Rule, ShapeOf(q, k), Rows(q), Rows(k), Rows(v), Rows(output), LogSums(logSums), Rows(gradient),
            Rows(dq), Rows(dk), Rows(dv));
        return [dq, dk, dv];
    }

    private static AttentionShape ShapeOf(Tensor q, Tensor k) => new((int)q.size(1), (int)k.size(1), (int)q.size(2));

    /// <summary>Channels side by side, wherever the rows and heads lie.</summary>
    private static Tensor WithDenseHeads(Tensor x_TNH) => x_TNH.stride(2) == 1 ? x_TNH : x_TNH.contiguous();

    private static HeadRows Rows(Tensor x_TNH) => new((float*)LibTorch.DataOf(x_TNH), (nint)x_TNH.stride(0), (nint)x_TNH.stride(1));

    private static HeadRows LogSums(Tensor logSums_RN) => new((float*)LibTorch.DataOf(logSums_RN), (nint)logSums_RN.stride(0), 1);
}
