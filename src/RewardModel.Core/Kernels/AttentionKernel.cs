using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="AttentionKernel"/> is told beside tensors.</summary>
internal sealed record AttentionSettings(AttentionProblem Problem, AttentionRule Rule);

/// <summary>
/// <see cref="PackedAttention"/> for autograd: q [R, N, H], k and v [T, M, H], sinks [N] or none, and a bias of keys [N, positions] or none,
/// which gets no gradient, to [R, N, H]; float32 on the CPU. Or q, k and v side by side in one tensor [T, 3 N, H], as some projections leave
/// them: their gradients are one tensor then too.
/// </summary>
internal sealed unsafe class AttentionKernel : Kernel<AttentionKernel, AttentionSettings>
{
    protected override Tensor[] Compute(AttentionSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor[] factors = [.. inputs.Take(3).Select(input => WithDenseHeads(input!))];
        Tensor? sinks = inputs.ElementAtOrDefault(3)?.contiguous(), bias = inputs.ElementAtOrDefault(4)?.contiguous();
        var (q, k, v) = Parts(factors);
        var shape = ShapeOf(factors);
        var output = TensorMemory.Empty(factors[0].size(0), shape.Heads, shape.HeadSize);
        var logSums = empty(factors[0].size(0), shape.Heads);
        PackedAttention.Forward(
            settings.Problem, settings.Rule, Terms(sinks, bias, settings.Problem), shape, q, k, v, Rows(output), LogSums(logSums));
        saved?.AddRange([.. factors, output, logSums, sinks, bias]);
        return [output];
    }

    protected override Tensor?[] Gradients(
        AttentionSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor[] factors = [.. saved.SkipLast(4).Select(tensor => tensor!)];
        Tensor output = saved[^4]!, logSums = saved[^3]!, gradient = WithDenseHeads(gradients[0]!);
        Tensor? sinks = saved[^2], bias = saved[^1];
        var (q, k, v) = Parts(factors);
        // Queries of no segment have no gradient; every key has one.
        Tensor[] results = [.. factors.Select((factor, i) => i > 0 || settings.Problem.CoversQueries(factor.size(0))
            ? TensorMemory.Empty(factor.shape)
            : zeros(factor.shape))];
        var (dq, dk, dv) = Parts(results);
        var sinkGradients = PackedAttention.Backward(
            settings.Problem, settings.Rule, Terms(sinks, bias, settings.Problem), ShapeOf(factors), q, k, v, Rows(output),
            LogSums(logSums), Rows(gradient), dq, dk, dv);
        if (factors.Length == 1)
            return results;
        Tensor? ofSinks = sinks is null ? null : tensor(sinkGradients).sum([0]).to(float32);
        return [.. results, ofSinks, null];
    }

    private static ScoreTerms Terms(Tensor? sinks, Tensor? bias, AttentionProblem problem) =>
        bias is not null && bias.size(1) < problem.LongestSequence
            ? throw new ArgumentException(
                $"The bias has {bias.size(1)} positions; expected at least {problem.LongestSequence}, those of the longest sequence.",
                nameof(bias))
            : new(
                sinks is null ? null : (float*)LibTorch.DataOf(sinks), bias is null ? null : (float*)LibTorch.DataOf(bias),
                (nint)(bias?.size(1) ?? 0));

    private static (HeadRows Q, HeadRows K, HeadRows V) Parts(Tensor[] factors)
    {
        if (factors.Length == 3)
            return (Rows(factors[0]), Rows(factors[1]), Rows(factors[2]));
        var (all, heads) = (Rows(factors[0]), (int)factors[0].size(1) / 3);
        return (all, all.From(heads), all.From(2 * heads));
    }

    private static AttentionShape ShapeOf(Tensor[] factors)
    {
        var heads = (int)factors[0].size(1) / (factors.Length == 1 ? 3 : 1);
        return new AttentionShape(heads, factors.Length == 1 ? heads : (int)factors[1].size(1), (int)factors[0].size(2));
    }

    /// <summary>Channels side by side, wherever the rows and heads lie.</summary>
    private static Tensor WithDenseHeads(Tensor x_TNH) => x_TNH.stride(2) == 1 ? x_TNH : x_TNH.contiguous();

    private static HeadRows Rows(Tensor x_TNH) => new((float*)LibTorch.DataOf(x_TNH), (nint)x_TNH.stride(0), (nint)x_TNH.stride(1));

    private static HeadRows LogSums(Tensor logSums_RN) => new((float*)LibTorch.DataOf(logSums_RN), (nint)logSums_RN.stride(0), 1);
}
