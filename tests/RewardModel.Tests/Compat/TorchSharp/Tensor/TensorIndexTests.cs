using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorIndexTests
{
    private readonly Tensor x = Matrix();

    [Fact]
    public void Rows_and_columns_are_chosen_by_number()
    {
        AreEqual([4, 5, 6, 4, 5, 6], [2, 3], x.index_select(0, tensor(new long[] { 1, 1 })));
        AreEqual([3, 1, 6, 4], [2, 2], x.index_select(1, tensor(new long[] { 2, 0 })));
        Assert.Throws<ExternalException>(() => x.index_select(0, tensor(new long[] { 2 })));
    }

    [Fact]
    public void Rows_are_copied_in_place()
    {
        AreEqual([7, 8, 9, 4, 5, 6], x.index_copy_(0, tensor(new long[] { 0 }), tensor(new float[,] { { 7, 8, 9 } })));
        AreEqual([7, 8, 9, 4, 5, 6], x);
    }
}
