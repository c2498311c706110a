using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorIndexTests
{
    // x[i, j, k] = 100 i + 10 j + k
    private readonly Tensor x = tensor(new float[] { 0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121 }).view(2, 3, 2);

    [Fact]
    public void Integers_take_a_dimension_away()
    {
        AreEqual([100, 101, 110, 111, 120, 121], [3, 2], x[1]);
        AreEqual([120, 121], [2], x[1, 2]);
        AreEqual([121], [], x[1, -1, 1]);
        AreEqual([121], x[new long[] { 1, 2, 1 }]);
        AreEqual([7], full([1, 1, 1, 1], 7)[0, 0, 0, 0]);
        AreEqual([7], full([1, 1, 1, 1, 1], 7)[0, 0, 0, 0, 0]);
        AreEqual([7], full([1, 1, 1, 1, 1, 1], 7)[0, 0, 0, 0, 0, 0]);
    }

    [Fact]
    public void Slices_narrow_a_dimension()
    {
        AreEqual([10, 11, 20, 21], [2, 2], x[0, 1..]);
        AreEqual([1, 11, 101, 111], [2, 2], x[.., ..2, 1]);
        AreEqual([20, 120], [2, 1], x[.., 2, ..^1]);
        AreEqual([0, 20], [2], x[0, TensorIndex.Slice(0, null, 2), 0]);
        AreEqual([10, 20], [2], x[0, (1, 3), 0]);
        AreEqual([21], x[0, ^1, ^1]);
        AreEqual([0, 10, 20], x[0, TensorIndex.Colon, 0]);
    }

    [Fact]
    public void Ellipsis_and_new_dimensions()
    {
        AreEqual([1, 11, 21, 101, 111, 121], [2, 3], x[TensorIndex.Ellipsis, 1]);
        AreEqual([100, 110, 120], [3], x[1, TensorIndex.Ellipsis, 0]);
        AreEqual([20, 21], [1, 2, 1], x[0, TensorIndex.None, 2, .., TensorIndex.Null]);
    }

    [Fact]
    public void Tensors_of_positions_choose()
    {
        var rows = tensor(new long[] { 1, 0 });
        AreEqual([110, 111, 0, 1], [2, 2], x[rows, tensor(new long[] { 1, 0 })]);
        AreEqual([120, 121, 20, 21], [2, 2], x[TensorIndex.Tensor(rows), 2]);
        AreEqual([20, 10, 120, 110], [2, 2], x[.., TensorIndex.Tensor(tensor(new long[] { 2, 1 })), 0]);
        AreEqual([120, 121, 20, 21], x.index(TensorIndex.Tensor(rows), 2));
        AreEqual([101, 1], x.index(rows, tensor(0L), tensor(1L)));
    }

    [Fact]
    public void Masks_choose_in_as_many_dimensions_as_they_have()
    {
        var mask = tensor(new[,] { { true, false, false }, { false, false, true } });
        AreEqual([0, 1, 120, 121], [2, 2], x[mask]);
        AreEqual([1, 121], [2], x[TensorIndex.Tensor(mask), 1]);
        AreEqual([0, 120], [2, 1], x[TensorIndex.Tensor(mask), ..1]);
        Assert.Equal([1L, 2, 3, 2], x[TensorIndex.Bool(true)].shape);
        Assert.Equal([0L, 2, 3, 2], x[TensorIndex.Bool(false)].shape);
    }

    [Fact]
    public void A_mixture_of_tensors_and_indices_says_what_to_write_instead()
    {
        var error = Assert.Throws<InvalidOperationException>(() => x[TensorIndex.Ellipsis, tensor(0L)]);
        Assert.Equal("wrap the tensors among the indices with TensorIndex.Tensor(...): a TensorIndex is no tensor", error.Message);
    }

    [Fact]
    public void Assigning_writes_into_the_tensor()
    {
        x[1] = zeros(3, 2);
        x[0, 0] = 5f;
        x[0, 1, 1] = 6f;
        AreEqual([5, 5, 10, 6, 20, 21, 0, 0, 0, 0, 0, 0], x);
        x[.., 2] = Vector(8, 9);
        AreEqual([8, 9], x[1, 2]);
        x[tensor(new long[] { 1 }), tensor(new long[] { 0 })] = Vector(3, 4);
        AreEqual([3, 4], x[1, 0]);
        x[new long[] { 1, 1, 0 }] = 7f;
        AreEqual([7], x[1, 1, 0]);
        x[TensorIndex.Tensor(x > 6), TensorIndex.Ellipsis] = 1f;
        AreEqual([5, 5, 1, 6, 1, 1, 3, 4, 1, 0, 1, 1], x);
        var six = zeros([1, 1, 1, 1, 1, 1]);
        six[0, 0, 0, 0] = 1f;
        six[0, 0, 0, 0, 0] += 1f;
        six[0, 0, 0, 0, 0, 0] += 1f;
        AreEqual([3], six);
    }

    [Fact]
    public void Index_put_replaces_or_accumulates()
    {
        var positions = tensor(new long[] { 0, 2, 0 });
        var ones = Vector(1, 1, 1);
        AreEqual([1, 0, 1], zeros(3).index_put_(ones, positions));
        AreEqual([2, 0, 1], zeros(3).index_put_(ones, [positions], accumulate: true));
        AreEqual([2, 0, 1], zeros(3).index_put_(ones, [TensorIndex.Tensor(positions)], accumulate: true));
        AreEqual([1, 0, 1], zeros(3).index_put_(ones, TensorIndex.Tensor(positions)));
        AreEqual([1, 2, 2], full(3, 1).index_put_(ones[..2], [1..], accumulate: true));
        AreEqual([4, 0, 4], zeros(3).index_put_(4, positions));
        AreEqual([0, 4, 4], zeros(3).index_put_(4, 1..));
    }

    [Fact]
    public void Rows_by_number()
    {
        var m = Matrix();
        var index = tensor(new long[] { 1, 1, 0 });
        AreEqual([4, 5, 6, 4, 5, 6, 1, 2, 3], m.index_select(0, index));
        AreEqual([0, 0, 6, 6], zeros(2, 2).index_add_(0, tensor(new long[] { 1, 1 }), full([2, 2], 1), 3));
        AreEqual([7, 8, 0, 0], zeros(2, 2).index_copy_(0, tensor(new long[] { 0 }), tensor(new float[,] { { 7, 8 } })));
        AreEqual([3, 1, 4, 4], m.gather(1, tensor(new long[,] { { 2, 0 }, { 0, 0 } })));
        AreEqual([0, 9, 8, 0], zeros(2, 2).scatter_(1, tensor(new long[,] { { 1 }, { 0 } }), tensor(new float[,] { { 9 }, { 8 } })));
        var error = Assert.Throws<ExternalException>(() => m.index_select(0, tensor(new long[] { 2 })));
        Assert.Equal("index out of range in self", error.Message);
    }

    [Fact]
    public void Masks_fill_and_select()
    {
        var m = Matrix();
        AreEqual([1, 2, 3, 0, 0, 0], m.masked_fill(m > 3, 0));
        AreEqual([4, 5, 6], m.masked_select(m > 3));
        AreEqual([1, 2, 3, -1, -1, -1], m.where(m <= 3, tensor(-1f)));
        AreEqual([1, 2, 3, -1, -1, -1], where(m <= 3, m, tensor(-1f)));
        AreEqual([1, 2], [1, 2], (m == 6).nonzero());
        Assert.Equal([[1], [2]], where(m == 6).Select(Of));
        m.masked_fill_(m < 6, 0);
        AreEqual([0, 0, 0, 0, 0, 6], m);
    }

    [Fact]
    public void Gradients_flow_through_an_index()
    {
        var w = Matrix().requires_grad_();
        (w[1, 1..] * Vector(2, 3)).sum().backward();
        AreEqual([0, 0, 0, 0, 2, 3], w.grad);
    }
}
