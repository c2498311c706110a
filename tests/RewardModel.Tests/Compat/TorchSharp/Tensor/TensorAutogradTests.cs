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
    public void More_gradients_than_one_are_refused() =>
        Assert.StartsWith(
            "2 gradients given for 1 tensor: give one",
            Assert.Throws<ArgumentException>(() => Vector(1).requires_grad_().backward([Vector(1), Vector(1)])).Message);

    [Fact]
    public void Backward_of_something_without_history_is_an_error() =>
        Assert.Equal(
            "element 0 of tensors does not require grad and does not have a grad_fn",
            Assert.Throws<ExternalException>(() => Vector(1).backward()).Message);

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
    public void Gradients_of_gradients()
    {
        var w = Vector(3).requires_grad_();
        (w * w * w).backward(create_graph: true);
        var grad = w.grad!;
        w.grad = null;
        grad.backward();
        AreEqual([18], w.grad);
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
    public void A_computed_tensor_has_no_gradient_of_its_own()
    {
        var computed = Vector(3).requires_grad_() * 2;
        (computed * 5).backward();
        Assert.Null(computed.grad);
    }

    [Fact]
    public void Detached_tensors_have_no_history()
    {
        var w = Vector(3).requires_grad_();
        Assert.True((w * 2).requires_grad);
        Assert.False((w * 2).detach().requires_grad);
        Assert.False(w.requires_grad_(false).requires_grad);
    }
}
