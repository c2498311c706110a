using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorOperatorsTests
{
    private readonly Tensor x = Vector(1, 2, 4);
    private readonly Tensor y = Vector(2, 2, 2);
    private readonly Scalar two = 2.0;

    [Fact]
    public void Every_kind_of_right_operand()
    {
        foreach (var sum in new[] { x + y, x + two, x + 2, x + 2L, x + 2f, x + 2d })
            AreEqual([3, 4, 6], sum);
        foreach (var difference in new[] { x - y, x - two, x - 2, x - 2L, x - 2f, x - 2d })
            AreEqual([-1, 0, 2], difference);
        foreach (var product in new[] { x * y, x * two, x * 2, x * 2L, x * 2f, x * 2d })
            AreEqual([2, 4, 8], product);
        foreach (var quotient in new[] { x / y, x / two, x / 2, x / 2L, x / 2f, x / 2d })
            AreEqual([0.5, 1, 2], quotient);
    }

    [Fact]
    public void Every_kind_of_left_operand()
    {
        foreach (var sum in new[] { y + x, two + x, 2 + x, 2L + x, 2f + x, 2d + x })
            AreEqual([3, 4, 6], sum);
        foreach (var difference in new[] { y - x, two - x, 2 - x, 2L - x, 2f - x, 2d - x })
            AreEqual([1, 0, -2], difference);
        foreach (var product in new[] { y * x, two * x, 2 * x, 2L * x, 2f * x, 2d * x })
            AreEqual([2, 4, 8], product);
        foreach (var quotient in new[] { y / x, two / x, 2 / x, 2L / x, 2f / x, 2d / x })
            AreEqual([2, 1, 0.5], quotient);
        AreEqual([-1, -2, -4], -x);
    }

    [Fact]
    public void Comparisons_give_tensors()
    {
        AreEqual([0, 1, 0], x == y);
        AreEqual([1, 0, 1], x != y);
        AreEqual([1, 0, 0], x < y);
        AreEqual([1, 1, 0], x <= y);
        AreEqual([0, 0, 1], x > y);
        AreEqual([0, 1, 1], x >= y);
        AreEqual([0, 1, 0], x == two);
        AreEqual([1, 0, 1], x != two);
        AreEqual([1, 0, 0], x < two);
        AreEqual([1, 1, 0], x <= two);
        AreEqual([0, 0, 1], x > two);
        AreEqual([0, 1, 1], x >= two);
    }

    [Fact]
    public void Comparisons_with_a_number_on_the_left_turn_around()
    {
        AreEqual([0, 1, 0], two == x);
        AreEqual([1, 0, 1], two != x);
        AreEqual([0, 0, 1], two < x);
        AreEqual([0, 1, 1], two <= x);
        AreEqual([1, 0, 0], two > x);
        AreEqual([1, 1, 0], two >= x);
    }

    [Fact]
    public void Numbers_compare_without_being_spelled_as_scalars()
    {
        AreEqual([0, 1, 1], x > 1);
        AreEqual([0, 1, 0], x == 2.0);
        AreEqual([1, 1, 0], 4 > x);
    }

    [Fact]
    public void Bits()
    {
        var a = tensor(new[] { true, true, false });
        var b = tensor(new[] { true, false, false });
        AreEqual([1, 0, 0], a & b);
        AreEqual([1, 1, 0], a | b);
        AreEqual([0, 0, 1], ~a);
    }

    [Fact]
    public void Integers_stay_integers_except_in_quotients()
    {
        var n = tensor(new[] { 1, 2 });
        Assert.Equal(ScalarType.Int32, (n + 1).dtype);
        Assert.Equal(ScalarType.Float32, (n / 2).dtype);
        AreEqual([4, 2], 4 / n);
    }

    [Fact]
    public void Objects_are_equal_only_to_themselves()
    {
        Assert.True(x.Equals(x));
        Assert.False(x.Equals(x.view(3)));
        Assert.Single(new HashSet<Tensor> { x, x });
    }
}
