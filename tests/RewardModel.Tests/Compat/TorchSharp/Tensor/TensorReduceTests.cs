using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorReduceTests
{
    private readonly Tensor x = tensor(new float[,] { { 1, 5, 3 }, { 4, 2, 6 } });

    [Fact]
    public void Sums()
    {
        AreEqual([21], [], x.sum());
        AreEqual([21], sum(x));
        AreEqual([9, 12], [2], x.sum(1));
        AreEqual([9, 12], [2, 1], x.sum(1, keepdim: true));
        // A literal 0 without the L would be the ScalarType Byte, here as in TorchSharp.
        AreEqual([5, 7, 9], sum(x, 0L));
        AreEqual([21], x.sum(0, 1));
        AreEqual([21], [1, 1, 1], x.unsqueeze(0).sum(0, 1, 2, keepdim: true));
        AreEqual([21], x.sum([0, 1]));
        Assert.Equal(ScalarType.Float64, x.sum(ScalarType.Float64).dtype);
        Assert.Equal(ScalarType.Float64, x.sum(1, type: ScalarType.Float64).dtype);
        AreEqual([1, 6, 9, 4, 6, 12], x.cumsum(1));
    }

    [Fact]
    public void Means_and_spreads()
    {
        AreEqual([3.5], x.mean());
        AreEqual([3.5], mean(x));
        AreEqual([3, 4], x.mean([1]));
        AreEqual([3, 4], [2, 1], mean(x, [1], keepdim: true));
        AreEqual([2, 2], x.std(1));
        AreEqual([4, 4], x.var(1));
        AreEqual([4, 4], [2, 1], x.var([1], keepdim: true));
        AreEqual([2, 2], x.std([1], type: ScalarType.Float64));
        Assert.Equal(ScalarType.Float64, x.std([1], type: ScalarType.Float64).dtype);
        AreClose([3.5], x.var());
        AreClose([Math.Sqrt(17.5 / 6)], x.std(unbiased: false));
        AreClose([17.5 / 6], x.var(unbiased: false));
    }

    [Fact]
    public void Extremes_and_their_places()
    {
        AreEqual([6], x.max());
        AreEqual([6], max(x));
        AreEqual([1], x.min());
        AreEqual([3, 5, 3, 4, 3, 6], x.max(tensor(3f)));
        AreEqual([3, 5, 3, 4, 3, 6], max(x, tensor(3f)));
        AreEqual([1, 3, 3, 3, 2, 3], x.min(tensor(3f)));
        var (largest, where) = x.max(1);
        AreEqual([5, 6], largest);
        AreEqual([1, 2], where);
        var (columns, _) = max(x, 0, keepdim: true);
        AreEqual([4, 5, 6], [1, 3], columns);
        var (smallest, at) = x.min(0);
        AreEqual([1, 2, 3], smallest);
        AreEqual([0, 1, 0], at);
        AreEqual([5], x.argmax());
        AreEqual([5], argmax(x));
        AreEqual([1, 2], x.argmax(1));
        AreEqual([1, 2], argmax(x, 1));
        AreEqual([0], x.argmin());
        AreEqual([0, 1], x.argmin(1));
    }

    [Fact]
    public void Order()
    {
        var (sorted, places) = x.sort(descending: true);
        AreEqual([5, 3, 1, 6, 4, 2], sorted);
        AreEqual([1, 2, 0, 2, 0, 1], places);
        var (_, stable) = Vector(1, 0, 1, 0).sort(0, descending: true, stable: true);
        AreEqual([0, 2, 1, 3], stable);
        AreEqual([0, 2, 1, 1, 0, 2], x.argsort());
        var (top, indexes) = x.topk(2);
        AreEqual([5, 3, 6, 4], top);
        AreEqual([1, 2, 2, 0], indexes);
        var (bottom, _) = x.topk(1, largest: false);
        AreEqual([1, 2], bottom);
    }

    [Fact]
    public void Truth_of_all_and_of_any()
    {
        var truths = tensor(new[,] { { true, false }, { true, true } });
        AreEqual([0], truths.all());
        AreEqual([1], truths.any());
        AreEqual([0, 1], truths.all(1));
        AreEqual([1, 1], [1, 2], truths.any(0, keepdim: true));
    }

    [Fact]
    public void Norms_and_logsumexp()
    {
        AreClose([5], Vector(3, 4).norm());
        AreClose([7], Vector(3, -4).norm(1f));
        AreClose([Math.Sqrt(35), Math.Sqrt(56)], x.norm(1));
        AreClose([9, 12], x.norm(1, p: 1));
        AreClose([Math.Log(3)], Vector(0, 0, 0).logsumexp(0));
    }
}
