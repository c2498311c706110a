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
        AreEqual([1, 2, -3], y.div(3, RoundingMode.floor) + Vector(0, 1, 0));
        AreEqual([1, 2, -2], y.div(Vector(2, 2, 4), RoundingMode.floor));
    }

    [Fact]
    public void In_place_forms_change_the_tensor_itself()
    {
        AreEqual([4, 7, -4], Changed(t => t.add_(y)));
        AreEqual([7, 12, -12], Changed(t => t.add_(y, 2)));
        AreEqual([3, 4, 6], Changed(t => t.add_(2)));
        AreEqual([7, 8, 10], Changed(t => t.add_(2, 3)));
        AreEqual([-2, -3, 12], Changed(t => t.sub_(y)));
        AreEqual([0, 1, 3], Changed(t => t.sub_(1)));
        AreEqual([3, 10, -32], Changed(t => t.mul_(y)));
        AreEqual([2, 4, 8], Changed(t => t.mul_(2)));
        AreEqual([0.5, 1, 0.5], Changed(t => t.div_(Vector(2, 2, 8))));
        AreEqual([0.5, 1, 2], Changed(t => t.div_(2)));
        AreEqual([0, 1, 2], Changed(t => t.div_(2, RoundingMode.floor)));
        AreEqual([0, 1, 0], Changed(t => t.div_(Vector(2, 2, 8), RoundingMode.trunc)));
        AreEqual([7, 22, -60], Changed(t => t.addcmul_(x, y, 2)));
        AreEqual([1.5, 3, 6], Changed(t => t.addcdiv_(x, Vector(2, 2, 2))));
        AreEqual([2, 4, 8], Changed(t => t.addcdiv_(x, Vector(2, 2, 2), 2)));
        AreEqual([2, 3.5, -2], Changed(t => t.lerp_(y, Vector(0.5f, 0.5f, 0.5f))));
    }

    [Fact]
    public void The_result_of_an_in_place_form_is_the_same_memory()
    {
        var again = x.add_(1);
        x.mul_(10);
        AreEqual([20, 30, 50], again);
    }

    [Fact]
    public void Larger_and_smaller_of_two()
    {
        AreEqual([3, 5, 4], x.maximum(y));
        AreEqual([1, 2, -8], x.minimum(y));
        AreEqual([3, 5, 4], maximum(x, y));
        AreEqual([1, 2, -8], minimum(x, y));
    }

    [Fact]
    public void Matrix_products()
    {
        var a = Matrix();
        var b = tensor(new float[,] { { 1, 0 }, { 0, 1 }, { 2, 2 } });
        AreEqual([7, 8, 16, 17], [2, 2], a.matmul(b));
        AreEqual([7, 8, 16, 17], [2, 2], matmul(a, b));
        AreEqual([7, 8, 16, 17], [2, 2], a.mm(b));
        AreEqual([7, 8, 16, 17], [1, 2, 2], a.unsqueeze(0).bmm(b.unsqueeze(0)));
        AreEqual([3, 5, -8, 6, 10, -16], [2, 3], outer(Vector(1, 2), y));
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused_in_libtorchs_words()
    {
        var matmul = Assert.Throws<ExternalException>(() => Matrix().matmul(Matrix()));
        Assert.Equal("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", matmul.Message);
        var add = Assert.Throws<ExternalException>(() => x.add(Vector(1, 2)));
        Assert.Equal("The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0", add.Message);
    }

    private Tensor Changed(Func<Tensor, Tensor> change)
    {
        var copy = x.clone();
        change(copy).Dispose();
        return copy;
    }
}
