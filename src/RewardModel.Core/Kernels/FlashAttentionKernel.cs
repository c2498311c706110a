using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>What <see cref="FlashAttentionKernel"/> is told beside tensors.</summary>
/// <param name="Operators">libtorch's; tests have others, for the CPU.</param>
/// <param name="Segments">Where queries and keys lie.</param>
/// <param name="Scale">Factor on the products of queries and keys.</param>
/// <param name="Reach">Among the keys of a query's own segment; those of the parent are seen whole.</param>
internal sealed record FlashAttentionSettings(IFlashOperators Operators, FlashSegments Segments, double Scale, FlashReach Reach);

/// <summary>
/// Attention over packed sequences by flash attention, called twice: for every segment against its own keys (S), and for the segments that
/// continue another one against that one's keys (X), all children of a parent as one sequence of queries. The softmax over both kinds of
/// keys follows from the logarithms of the two sums of exponentials, s and x: it weighs X by sigmoid(x - s), and its own is
/// logaddexp(s, x). q [R, N, H], k and v [T, M, H] to [R, N, H].
/// </summary>
/// <remarks>
/// The gradient of a softmax needs of the other keys no more than the whole row's result and logarithm. So the backward pass is flash
/// attention's own, called for S and for X with the merged ones, and the gradients add up.
/// </remarks>
internal sealed class FlashAttentionKernel : Kernel<FlashAttentionKernel, FlashAttentionSettings>
{
    private static readonly FlashReach all = new(IsCausal: false, null, null);

    protected override Tensor[] Compute(FlashAttentionSettings settings, Tensor?[] inputs, List<Tensor?>? saved)
    {
        Tensor q = WithDenseHeads(inputs[0]!), k = WithDenseHeads(inputs[1]!), v = WithDenseHeads(inputs[2]!);
        var (operators, segments, scale, reach) = settings;
        var own = operators.Forward(q, k, v, segments.Own, reach, scale);
        saved?.AddRange([q, k, v, own.Output, own.LogSums, .. TensorsOf(segments), .. own.RandomState]);
        if (segments.HasFamilies)
        {
            using var scope = NewDisposeScope();
            var (rows, count) = (segments.FamilyRows, segments.ParentRowCount);
            var families = operators.Forward(
                q.index_select(0, rows), k.narrow(0, 0, count), v.narrow(0, 0, count), segments.Families, all, scale);
            Merge(own, families, rows);
            saved?.AddRange(families.RandomState.Select(state => state.MoveToOuterDisposeScope()));
        }
        return [own.Output];
    }

    protected override Tensor?[] Gradients(
        FlashAttentionSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        Tensor q = saved[0]!, k = saved[1]!, v = saved[2]!, output = saved[3]!, logSums = saved[4]!, rows = saved[9]!;
        var (operators, segments, scale, reach) = settings;
        var ownRanges = segments.Own with { Queries = saved[5]!, Keys = saved[6]! };
        var familyRanges = segments.Families with { Queries = saved[7]!, Keys = saved[8]! };
        Tensor[] randomStates = [.. saved.Skip(10).OfType<Tensor>()];
        var stateCount = segments.HasFamilies ? randomStates.Length / 2 : randomStates.Length;

        var gradient = gradients[0]!.contiguous();
        var own = new FlashResult(output, logSums, randomStates[..stateCount]);
        var (dq, dk, dv) = operators.Backward(gradient, q, k, v, own, ownRanges, reach, scale);
        if (segments.HasFamilies)
        {
            var count = segments.ParentRowCount;
            var families = new FlashResult(output.index_select(0, rows), logSums.index_select(1, rows), randomStates[stateCount..]);
            var (dqOfParents, dkOfParents, dvOfParents) = operators.Backward(
                gradient.index_select(0, rows), q.index_select(0, rows), k.narrow(0, 0, count), v.narrow(0, 0, count), families,
                familyRanges, all, scale);
            // No row twice, so nothing depends on an order.
            dq.index_add_(0, rows, dqOfParents, 1);
            dk.narrow(0, 0, count).add_(dkOfParents);
            dv.narrow(0, 0, count).add_(dvOfParents);
        }
        return [dq, dk, dv];
    }

    /// <summary>Makes the softmax over both kinds of keys of that over a segment's own.</summary>
    private static void Merge(FlashResult own, FlashResult families, Tensor rows)
    {
        var ownLogSums_NC = own.LogSums.index_select(1, rows);
        var weight_CN1 = families.LogSums.sub(ownLogSums_NC).sigmoid().transpose(0, 1).unsqueeze(-1);
        var merged_CNH = Exact(own.Output.index_select(0, rows)).lerp(Exact(families.Output), weight_CN1);
        own.Output.index_copy_(0, rows, merged_CNH.to(own.Output.dtype));
        own.LogSums.index_copy_(1, rows, ownLogSums_NC.logaddexp(families.LogSums));
    }

    private static Tensor Exact(Tensor x) => x.dtype == ScalarType.Float64 ? x : x.to(float32);

    // Saved as tensors: the packed sequences that they belong to may be disposed of before the backward pass.
    private static Tensor[] TensorsOf(FlashSegments segments) =>
        [segments.Own.Queries, segments.Own.Keys, segments.Families.Queries, segments.Families.Keys, segments.FamilyRows];

    /// <summary>Channels side by side, wherever the rows and heads lie.</summary>
    private static Tensor WithDenseHeads(Tensor x_TNH) => x_TNH.stride(2) == 1 ? x_TNH : x_TNH.contiguous();
}
