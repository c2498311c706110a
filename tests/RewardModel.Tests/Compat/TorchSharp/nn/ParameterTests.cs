using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ParameterTests
{
    [Fact]
    public void It_takes_the_tensor_over()
    {
        var data = Vector(1, 2);
        var handle = data.Handle;
        var parameter = new Parameter(data);
        Assert.True(data.IsInvalid);
        Assert.Equal(handle, parameter.Handle);
        Assert.True(parameter.requires_grad);
        AreEqual([1, 2], parameter);
    }

    [Fact]
    public void It_may_be_frozen() => Assert.False(new Parameter(Vector(1), requires_grad: false).requires_grad);

    [Fact]
    public void It_takes_the_tensors_place_in_its_scope()
    {
        Parameter within, moved;
        using (var scope = NewDisposeScope())
        {
            within = new Parameter(Vector(1));
            moved = new Parameter(Vector(1).DetachFromDisposeScope());
            Assert.Equal(1, scope.DisposablesCount);
        }
        Assert.True(within.IsInvalid);
        Assert.False(moved.IsInvalid);
    }
}
