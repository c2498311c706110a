using System.Runtime.InteropServices;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class AutogradTests
{
    private readonly Tensor a = Vector(2).requires_grad_();
    private readonly Tensor b = Vector(5).requires_grad_();

    [Fact]
    public void Grad_gives_gradients_without_accumulating_them()
    {
        var grads = autograd.grad([a * b], [a, b]);
        AreEqual([5], grads[0]);
        AreEqual([2], grads[1]);
        Assert.Null(a.grad);
    }

    [Fact]
    public void Grad_of_given_output_gradients()
    {
        var grads = autograd.grad([a * b, a * a], [a], [Vector(1), Vector(10)]);
        AreEqual([5 + 10 * 4], grads[0]);
    }

    [Fact]
    public void Gradients_of_gradients()
    {
        var first = autograd.grad([a.pow(3)], [a], create_graph: true);
        AreEqual([12], first[0]);
        AreEqual([12], autograd.grad([first[0]], [a])[0]);
    }

    [Fact]
    public void An_input_that_is_not_used_is_an_error_unless_allowed()
    {
        Assert.Throws<ExternalException>(() => autograd.grad([a * 2], [b]));
        Assert.Null(autograd.grad([a * 2], [b], allow_unused: true)[0]);
    }

    [Fact]
    public void Grad_of_something_without_history_is_an_error() =>
        Assert.Equal(
            "element 0 of tensors does not require grad and does not have a grad_fn",
            Assert.Throws<ExternalException>(() => autograd.grad([Vector(1)], [a])).Message);

    [Fact]
    public void Backward_in_all_its_forms()
    {
        autograd.backward([a * b, a * a]);
        AreEqual([9], a.grad);
        autograd.backward(a * b, Vector(2));
        AreEqual([19], a.grad);
        autograd.backward(a * b, [Vector(1)], inputs: [a]);
        AreEqual([24], a.grad);
        AreEqual([2 + 4], b.grad);
    }

    [Fact]
    public void As_many_gradients_as_tensors_are_needed() =>
        Assert.StartsWith(
            "2 gradients given for 1 tensors: give one each",
            Assert.Throws<ArgumentException>(() => autograd.backward(a * b, [Vector(1), Vector(1)])).Message);
}
