using TorchSharp;
using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ModuleTests
{
    [Fact]
    public void Fields_are_registered_under_their_names_once()
    {
        using var model = new Model();
        Assert.Equal(
            ["scale", "weight", "inner.scale", "layers.0.scale", "layers.1.scale"],
            model.named_parameters().Select(named => named.name));
        Assert.Equal(["scale", "weight"], model.named_parameters(recurse: false).Select(named => named.name));
        Assert.Equal(model.named_parameters().Select(named => named.parameter), model.parameters());
        Assert.Equal("Model", model.GetName());
    }

    [Fact]
    public void A_shared_parameter_is_listed_once()
    {
        using var model = new Tied();
        Assert.Equal(["first"], model.named_parameters().Select(named => named.name));
    }

    [Fact]
    public void Call_is_forward()
    {
        using var doubling = new Doubling();
        AreEqual([6], doubling.forward(Vector(3)));
        AreEqual([6], doubling.call(Vector(3)));
    }

    [Fact]
    public void Training_and_evaluation_reach_every_module()
    {
        using var model = new Model();
        bool[] Modes() => [model.training, model.Inner.training, .. model.Layers.Select(layer => layer.training)];
        Assert.Equal([true, true, true, true], Modes());
        model.eval();
        Assert.Equal([false, false, false, false], Modes());
        model.train();
        Assert.Equal([true, true, true, true], Modes());
    }

    [Fact]
    public void Moving_makes_new_parameters_in_fields_and_registers()
    {
        using var model = new Model();
        var before = model.named_parameters().ToArray();
        var requiresGrad = before.Select(named => named.parameter.requires_grad).ToArray();
        // The module outlives the scope in which it is moved.
        using (NewDisposeScope())
            Assert.Same(model, model.to("meta"));
        var after = model.named_parameters().ToArray();
        Assert.Equal(before.Select(named => named.name), after.Select(named => named.name));
        Assert.All(after, named => Assert.Equal("meta", named.parameter.device.ToString()));
        Assert.Equal(requiresGrad, after.Select(named => named.parameter.requires_grad));
        Assert.Empty(before.Select(named => named.parameter).Intersect(after.Select(named => named.parameter)));
        Assert.Throws<InvalidOperationException>(() => before[0].parameter.dim());
        Assert.Equal("meta", model.Inner.call(Vector(5).to("meta")).device.ToString());
        Assert.Equal(after.Select(named => named.parameter), model.to("meta").parameters());
    }

    [Fact]
    public void Zero_grad_forgets_or_zeroes()
    {
        using var layer = new Doubling();
        var scale = layer.parameters().Single();
        layer.call(Vector(5)).sum().backward();
        AreEqual([5], scale.grad);
        layer.zero_grad(set_to_none: false);
        AreEqual([0], scale.grad);
        layer.zero_grad();
        Assert.Null(scale.grad);
    }

    [Fact]
    public void Names_can_be_given_once_only()
    {
        using var model = new Model();
        Assert.Equal(
            "Sub-module inner is already registered.",
            Assert.Throws<InvalidOperationException>(() => model.register_module("inner", new Doubling())).Message);
        Assert.StartsWith("Sub-module x is null.", Assert.Throws<ArgumentException>(() => model.register_module("x", null)).Message);
        Assert.StartsWith(
            "Sub-module x is the module itself.", Assert.Throws<ArgumentException>(() => model.register_module("x", model)).Message);
        Assert.Equal(
            "Parameter weight is already registered.", Assert.Throws<InvalidOperationException>(() => new TwoWeights()).Message);
    }

    [Fact]
    public void Disposing_disposes_everything_within()
    {
        var model = new Model();
        Tensor[] tensors = [.. model.parameters(), model.Mean];
        model.Dispose();
        Assert.All(tensors, tensor => Assert.True(tensor.IsInvalid));
    }

    private abstract class Base : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter weight = new(Vector(2));

        protected Base()
            : base(nameof(Model))
        {
        }

        public override Tensor forward(Tensor input) => input * weight;
    }

    private sealed class Model : Base
    {
        private readonly Parameter scale = new(Vector(3), requires_grad: false);
        private readonly Tensor mean = Vector(5);
        private readonly Doubling inner = new();
        private readonly ModuleList<Doubling> layers = nn.ModuleList(new Doubling(), new Doubling());

        public Model()
        {
            RegisterComponents();
            RegisterComponents();
        }

        public Tensor Mean => mean;

        public Doubling Inner => inner;

        public ModuleList<Doubling> Layers => layers;

        public override Tensor forward(Tensor input) => base.forward(input) * scale;
    }

    private sealed class TwoWeights : Base
    {
        private readonly Parameter weight = new(Vector(2));

        public TwoWeights() => RegisterComponents();

        public override Tensor forward(Tensor input) => input * weight;
    }

    private sealed class Tied : nn.Module
    {
        private readonly Parameter first = new(Vector(1));
        private readonly Parameter second;

        public Tied()
            : base(nameof(Tied))
        {
            second = first;
            RegisterComponents();
        }

        public Parameter Second => second;
    }
}
