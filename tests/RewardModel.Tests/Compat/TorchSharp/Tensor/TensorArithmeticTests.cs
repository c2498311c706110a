using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorArithmeticTests
{
    private readonly Tensor x = Vector(1, 2, 4);
    private readonly Tensor y = Vector(3, 5, -8);

    [Fact]
    public void Sums_and_differences()
    {
        AreEqual([4, 7, -4], x.add(y));
        AreEqual([7, 12, -12], x.add(y, 2));
        AreEqual([3, 4, 6], x.add(2));
        AreEqual([7, 8, 10], x.add(2, 3));
        AreEqual([-2, -3, 12], x.sub(y));
        AreEqual([0, 1, 3], x.sub(1));
    }

    [Fact]
    public void Products_and_quotients()
    {
        AreEqual([3, 10, -32], x.mul(y));
        AreEqual([2, 4, 8], x.mul(2));
        AreEqual([3, 2.5, -2], y.div(x));
        AreEqual([0.5, 1, 2], x.div(2));
        AreEqual([1, 2, -2], y.div(Vector(2, 2, 4), RoundingMode.trunc));
        AreEqual([1, 1, -3], y.div(3, RoundingMode.floor));
        AreEqual([1, 2, -3], Vector(3, 5, -9).div(Vector(2, 2, 4), RoundingMode.floor));
        AreEqual([1, 1, -2], y.div(3, RoundingMode.trunc));
    }

    [Fact]
    public void In_place()
    {
        var z = Vector(1, 2, 4);
        AreEqual([7, 12, -12], z.add_(y, 2));
        AreEqual([14, 24, -24], z.mul_(2));
        AreEqual([14, 48, -96], z.mul_(x));
        AreEqual([17, 68, -160], z.addcmul_(x, y, 1).addcmul_(Vector(0, 1, 1), Vector(9, 10, -32), 1));
        AreEqual([20, 70.5, -162], z.addcdiv_(y, x));
        AreEqual([14, 65.5, -158], z.addcdiv_(y, x, -2));
        AreEqual([14, 65.5, -158], z);
    }

    [Fact]
    public void Matrix_products_in_batches()
    {
        var b = tensor(new float[,] { { 1, 0 }, { 0, 1 }, { 2, 2 } });
        AreEqual([7, 8, 16, 17], [1, 2, 2], Matrix().unsqueeze(0).bmm(b.unsqueeze(0)));
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_in_libtorchs_words()
    {
        var add = Assert.Throws<ExternalException>(() => x.add(Vector(1, 2)));
        Assert.Equal("The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0", add.Message);
    }
}
