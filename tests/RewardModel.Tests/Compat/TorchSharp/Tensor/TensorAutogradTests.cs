using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class TensorAutogradTests
{
    [Fact]
    public void Backward_accumulates_into_the_leaves()
    {
        var w = Vector(1, 2).requires_grad_();
        Assert.Null(w.grad);
        (w * w).sum().backward();
        AreEqual([2, 4], w.grad);
        (w * 3).sum().backward();
        AreEqual([5, 7], w.grad);
        w.grad = Vector(1, 1);
        AreEqual([1, 1], w.grad);
        w.grad = null;
        Assert.Null(w.grad);
    }

    [Fact]
    public void Backward_of_several_elements_needs_their_gradients()
    {
        var w = Vector(1, 2).requires_grad_();
        var error = Assert.Throws<ExternalException>(() => (w * w).backward());
        Assert.Equal("grad can be implicitly created only for scalar outputs", error.Message);
        (w * w).backward([Vector(1, 10)]);
        AreEqual([2, 40], w.grad);
    }

    [Fact]
    public void A_retained_graph_can_be_walked_again()
    {
        var w = Vector(3).requires_grad_();
        var square = w * w;
        square.backward(retain_graph: true);
        square.backward();
        AreEqual([12], w.grad);
        Assert.Throws<ExternalException>(() => square.backward());
    }

    [Fact]
    public void Only_the_inputs_that_are_named_get_gradients()
    {
        var a = Vector(2).requires_grad_();
        var b = Vector(5).requires_grad_();
        (a * b).backward(inputs: [b]);
        Assert.Null(a.grad);
        AreEqual([2], b.grad);
    }

    [Fact]
    public void A_computed_tensor_keeps_its_gradient_on_demand()
    {
        var w = Vector(3).requires_grad_();
        var lost = w * 2;
        var kept = lost * 2;
        kept.retain_grad();
        (kept * 5).backward();
        Assert.Null(lost.grad);
        AreEqual([5], kept.grad);
    }

    [Fact]
    public void Detached_tensors_have_no_history()
    {
        var w = Vector(3).with_requires_grad();
        Assert.True((w * 2).requires_grad);
        Assert.False((w * 2).detach().requires_grad);
        Assert.False((w * 2).detach_().requires_grad);
    }
}
