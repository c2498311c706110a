using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

/// <summary>Flash attention's two operators of plain ones, on the CPU and in any type, with the same contract.</summary>
internal sealed class PlainFlashOperators : IFlashOperators
{
    public FlashResult Forward(Tensor q, Tensor k, Tensor v, FlashRanges ranges, FlashReach reach, double scale)
    {
        var heads = q.size(1);
        Tensor output = empty(q.shape, q.dtype), logSums = empty([heads, q.size(0)], Exact(q).dtype);
        foreach (var sequence in SequencesOf(ranges))
        {
            var scores = Scores(sequence, q, k, reach, scale);
            sequence.QueriesOf(logSums, dimension: 1).copy_(scores.logsumexp(-1));
            sequence.QueriesOf(output).copy_(scores.softmax(-1).bmm(HeadsFirst(sequence.KeysOf(v), heads)).transpose(0, 1));
        }
        return new FlashResult(output, logSums, []);
    }

    public (Tensor Dq, Tensor Dk, Tensor Dv) Backward(
        Tensor gradient, Tensor q, Tensor k, Tensor v, FlashResult forward, FlashRanges ranges, FlashReach reach, double scale)
    {
        var (heads, keyHeads) = (q.size(1), k.size(1));
        Tensor dq = zeros(q.shape, q.dtype), dk = zeros(k.shape, k.dtype), dv = zeros(v.shape, v.dtype);
        foreach (var sequence in SequencesOf(ranges))
        {
            var weights = Scores(sequence, q, k, reach, scale).sub(sequence.QueriesOf(forward.LogSums, 1).unsqueeze(-1)).exp();
            var outputGradient = HeadsFirst(sequence.QueriesOf(gradient), heads);
            var weightGradient = outputGradient.bmm(HeadsFirst(sequence.KeysOf(v), heads).transpose(1, 2));
            var dots = outputGradient.mul(HeadsFirst(sequence.QueriesOf(forward.Output), heads)).sum(dim: -1, keepdim: true);
            var scoreGradient = weights.mul(weightGradient.sub(dots)).mul(scale);
            sequence.QueriesOf(dq).copy_(scoreGradient.bmm(HeadsFirst(sequence.KeysOf(k), heads)).transpose(0, 1));
            sequence.KeysOf(dk).copy_(
                RowsFirst(scoreGradient.transpose(1, 2).bmm(HeadsFirst(sequence.QueriesOf(q), heads)), keyHeads));
            sequence.KeysOf(dv).copy_(RowsFirst(weights.transpose(1, 2).bmm(outputGradient), keyHeads));
        }
        return (dq, dk, dv);
    }

    private static Tensor Scores(Sequence sequence, Tensor q, Tensor k, FlashReach reach, double scale)
    {
        var scores = HeadsFirst(sequence.QueriesOf(q), q.size(1)).bmm(HeadsFirst(sequence.KeysOf(k), q.size(1)).transpose(1, 2)).mul(scale);
        var rows = arange(sequence.QueryCount).unsqueeze(1).add(sequence.KeyCount - sequence.QueryCount);
        var distances = arange(sequence.KeyCount).sub(rows);
        if ((reach.IsCausal ? 0 : reach.After) is { } after)
            scores = scores.masked_fill(distances.gt(after), double.NegativeInfinity);
        if (reach.Before is { } before)
            scores = scores.masked_fill(distances.lt(-before), double.NegativeInfinity);
        return scores;
    }

    private static Tensor Exact(Tensor x) => x.dtype == ScalarType.Float64 ? x : x.to(float32);

    /// <summary>[rows, M, H] to [N, rows, H].</summary>
    private static Tensor HeadsFirst(Tensor x, long heads) => Exact(x).repeat_interleave(heads / x.size(1), 1).transpose(0, 1);

    /// <summary>[N, rows, H] to [rows, M, H].</summary>
    private static Tensor RowsFirst(Tensor x, long keyHeads) =>
        x.view(keyHeads, x.size(0) / keyHeads, x.size(1), x.size(2)).sum(dim: 1).transpose(0, 1);

    private static IEnumerable<Sequence> SequencesOf(FlashRanges ranges)
    {
        int[] queries = Values(ranges.Queries), keys = Values(ranges.Keys);
        Assert.Equal(queries.Length, keys.Length);
        Assert.Equal(ranges.MostQueries, queries.Zip(queries.Skip(1), (first, next) => next - first).Max());
        Assert.Equal(ranges.MostKeys, keys.Zip(keys.Skip(1), (first, next) => next - first).Max());
        return Enumerable.Range(0, queries.Length - 1)
            .Select(i => new Sequence(queries[i], queries[i + 1] - queries[i], keys[i], keys[i + 1] - keys[i]))
            .Where(sequence => sequence.QueryCount > 0);
    }

    private static int[] Values(Tensor tensor)
    {
        using var accessor = tensor.data<int>();
        return accessor.ToArray();
    }

    /// <summary>A sequence's part of the row.</summary>
    private readonly record struct Sequence(int FirstQuery, int QueryCount, int FirstKey, int KeyCount)
    {
        public Tensor QueriesOf(Tensor x, int dimension = 0) => x.narrow(dimension, FirstQuery, QueryCount);

        public Tensor KeysOf(Tensor x) => x.narrow(0, FirstKey, KeyCount);
    }
}
