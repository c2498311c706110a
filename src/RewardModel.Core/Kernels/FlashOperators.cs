using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// Which keys of its sequence a query sees: so many before and after it, or null for all. Positions count from the end: the last query
/// stands at the last key.
/// </summary>
internal readonly record struct FlashReach(bool IsCausal, int? Before, int? After);

/// <summary>What a forward pass leaves.</summary>
/// <param name="Output">[R, N, H].</param>
/// <param name="LogSums">Logarithms of the sums of exponentials, [N, R], float32.</param>
/// <param name="RandomState">What a backward pass with dropout would draw by; passed on as it came, two tensors or none.</param>
internal sealed record FlashResult(Tensor Output, Tensor LogSums, IReadOnlyList<Tensor> RandomState);

/// <summary>Attention over sequences of different lengths in one row, without masks.</summary>
/// <remarks>q [R, N, H], k and v [T, M, H], of one type; M divides N. Their channels lie side by side.</remarks>
internal interface IFlashOperators
{
    FlashResult Forward(Tensor q, Tensor k, Tensor v, FlashRanges ranges, FlashReach reach, double scale);

    (Tensor Dq, Tensor Dk, Tensor Dv) Backward(
        Tensor gradient, Tensor q, Tensor k, Tensor v, FlashResult forward, FlashRanges ranges, FlashReach reach, double scale);
}

/// <summary>libtorch's flash attention (Dao, arXiv 2307.08691), which takes 16-bit tensors on a GPU.</summary>
internal sealed class FlashOperators : IFlashOperators
{
    public static readonly FlashOperators Instance = new();

    private FlashOperators()
    {
    }

    public FlashResult Forward(Tensor q, Tensor k, Tensor v, FlashRanges ranges, FlashReach reach, double scale)
    {
        var call = new OperatorCall("aten::_flash_attention_forward")
            .Tensor(q).Tensor(k).Tensor(v).OptionalTensor(ranges.Queries).OptionalTensor(ranges.Keys);
        AddCounts(call, ranges, reach).Bool(false);
        var results = AddScaleAndWindow(call, reach, scale).Call(5);
        var (output, logSums) = (results[0], results[1]);
        // In older versions they were padded, [sequences, N, longest].
        if (!logSums.shape.SequenceEqual([q.size(1), q.size(0)]))
            throw new ExternalException(
                $"libtorch's flash attention gave sums of shape [{string.Join(", ", logSums.shape)}]; "
                + $"expected [{q.size(1)}, {q.size(0)}].");
        results[4].Dispose();
        return new FlashResult(output, logSums, results[2..4]);
    }

    public (Tensor Dq, Tensor Dk, Tensor Dv) Backward(
        Tensor gradient, Tensor q, Tensor k, Tensor v, FlashResult forward, FlashRanges ranges, FlashReach reach, double scale)
    {
        var call = new OperatorCall("aten::_flash_attention_backward")
            .Tensor(gradient).Tensor(q).Tensor(k).Tensor(v).Tensor(forward.Output).Tensor(forward.LogSums)
            .Tensor(ranges.Queries).Tensor(ranges.Keys);
        AddCounts(call, ranges, reach).Tensor(forward.RandomState[0]).Tensor(forward.RandomState[1]);
        var results = AddScaleAndWindow(call, reach, scale).Call(3);
        return (results[0], results[1], results[2]);
    }

    // max_q, max_k, dropout_p, is_causal. With one query as the most, libtorch takes for granted that every sequence has one.
    private static OperatorCall AddCounts(OperatorCall call, FlashRanges ranges, FlashReach reach) =>
        call.Int(Math.Max(2, ranges.MostQueries)).Int(ranges.MostKeys).Double(0).Bool(reach.IsCausal);

    // scale, window_size_left, window_size_right.
    private static OperatorCall AddScaleAndWindow(OperatorCall call, FlashReach reach, double scale) =>
        call.OptionalDouble(scale).OptionalInt(reach.Before).OptionalInt(reach.After);
}
