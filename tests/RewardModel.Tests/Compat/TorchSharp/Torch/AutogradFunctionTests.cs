using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;
using static TorchSharp.torch.autograd;

namespace RewardModel.Tests.Compat;

[Collection(nameof(Alone))]
public sealed class AutogradFunctionTests
{
    [Fact]
    public void Forward_and_backward_are_the_functions_own()
    {
        var x = Vector(2, 3).requires_grad_();
        var y = ScaledSquare.apply(x, 10.0);
        AreEqual([40, 90], y);
        Assert.True(y.requires_grad);
        (y * Vector(1, 2)).sum().backward();
        AreEqual([40, 120], x.grad);
    }

    [Fact]
    public void Without_gradients_wanted_nothing_is_recorded()
    {
        Assert.False(ScaledSquare.apply(Vector(2), 10.0).requires_grad);
        using (no_grad())
            Assert.False(ScaledSquare.apply(Vector(2).requires_grad_(), 10.0).requires_grad);
    }

    [Fact]
    public void Several_outputs_get_a_gradient_each()
    {
        var x = Vector(2, 3).requires_grad_();
        var outputs = SumAndDouble.apply(x);
        (outputs[1] * Vector(1, 5)).sum().backward(retain_graph: true);
        AreEqual([2, 10], x.grad);
        outputs[0].backward();
        AreEqual([3, 11], x.grad);
        Assert.False(outputs[2].requires_grad);
    }

    [Fact]
    public void An_exception_in_backward_arrives_where_backward_was_called()
    {
        var x = Vector(1).requires_grad_();
        var y = Failing.apply(x);
        var error = Assert.Throws<NotSupportedException>(() => y.backward());
        Assert.Equal("no backward today", error.Message);
        var again = Failing.apply(x);
        Assert.Throws<NotSupportedException>(() => grad([again], [x]));
    }

    [Fact]
    public void A_wrong_number_of_gradients_is_named()
    {
        var y = TooFew.apply(Vector(1).requires_grad_(), 1, 2);
        var error = Assert.Throws<InvalidOperationException>(() => y.backward());
        Assert.Equal(
            "TooFew.backward gave 1 gradients, expected 3: one for each argument of forward, null for those that are no tensors",
            error.Message);
    }

    [Fact]
    public void Recomputing_in_backward_gives_the_gradients_of_the_plain_run()
    {
        var x = Vector(0.5f, -1).requires_grad_();
        var w = Vector(2, 3).requires_grad_();
        Recomputed.apply(x, w).sum().backward();
        var (gradX, gradW) = (Of(x.grad), Of(w.grad));
        x.grad = null;
        w.grad = null;
        Recomputed.Compute(x, w).sum().backward();
        Assert.Equal(Of(x.grad), gradX);
        Assert.Equal(Of(w.grad), gradW);
    }

    [Fact]
    public void The_graph_lets_go_of_what_was_saved()
    {
        using var x = Vector(2).requires_grad_();
        using (NewDisposeScope())
            ScaledSquare.apply(x, 1.0).sum().backward();
        x.grad = null;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 20; i++)
            using (NewDisposeScope())
                ScaledSquare.apply(x, 1.0).sum().backward();
        Assert.Equal(before, Tensor.TotalCount);
    }

    private sealed class ScaledSquare : SingleTensorFunction<ScaledSquare>
    {
        public override string Name => nameof(ScaledSquare);

        public override Tensor forward(AutogradContext ctx, params object[] vars)
        {
            Assert.False(is_grad_enabled());
            var x = (Tensor)vars[0];
            ctx.save_for_backward([x]);
            ctx.save_data("scale", vars[1]);
            return x * x * (double)vars[1];
        }

        public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output) =>
            [grad_output * ctx.get_saved_variables()[0] * (2 * (double)ctx.get_data("scale")), null!];
    }

    private sealed class SumAndDouble : MultiTensorFunction<SumAndDouble>
    {
        public override string Name => nameof(SumAndDouble);

        public override List<Tensor> forward(AutogradContext ctx, params object[] vars)
        {
            var x = (Tensor)vars[0];
            var constant = x.clone();
            ctx.mark_non_differentiable([constant]);
            Assert.True(ctx.MaterializeGrads);
            return [x.sum(), x * 2, constant];
        }

        public override List<Tensor> backward(AutogradContext ctx, List<Tensor> grad_outputs) =>
            [grad_outputs[0] + grad_outputs[1] * 2];
    }

    private sealed class Failing : SingleTensorFunction<Failing>
    {
        public override string Name => nameof(Failing);

        public override Tensor forward(AutogradContext ctx, params object[] vars) => ((Tensor)vars[0]).clone();

        public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output) =>
            throw new NotSupportedException("no backward today");
    }

    private sealed class TooFew : SingleTensorFunction<TooFew>
    {
        public override string Name => nameof(TooFew);

        public override Tensor forward(AutogradContext ctx, params object[] vars) => ((Tensor)vars[0]).clone();

        public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output) => [grad_output];
    }

    private sealed class Recomputed : SingleTensorFunction<Recomputed>
    {
        public override string Name => nameof(Recomputed);

        public static Tensor Compute(Tensor x, Tensor w) => (x * w).tanh() * w;

        public override Tensor forward(AutogradContext ctx, params object[] vars)
        {
            ctx.save_for_backward([(Tensor)vars[0], (Tensor)vars[1]]);
            return Compute((Tensor)vars[0], (Tensor)vars[1]);
        }

        public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output)
        {
            using var recording = enable_grad();
            var inputs = ctx.get_saved_variables().ConvertAll(saved => saved.detach().requires_grad_());
            autograd.backward(Compute(inputs[0], inputs[1]), grad_output);
            return inputs.ConvertAll(input => input.grad);
        }
    }
}
