using TorchSharp;
using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ModuleTests
{
    [Fact]
    public void Fields_are_registered_under_their_names()
    {
        using var model = new Model();
        Assert.Equal(
            ["scale", "weight", "inner.weight", "inner.bias", "layers.0.weight", "layers.1.weight"],
            model.named_parameters().Select(named => named.name));
        Assert.Equal(["scale", "weight"], model.named_parameters(recurse: false).Select(named => named.name));
        Assert.Equal(["mean", "scratch"], model.named_buffers().Select(named => named.name));
        Assert.Equal(["mean"], model.named_buffers(include_nonpersistent: false).Select(named => named.name));
        Assert.Equal(["inner", "layers"], model.named_children().Select(named => named.name));
        Assert.Equal(["inner", "layers", "layers.0", "layers.1"], model.named_modules().Select(named => named.name));
        Assert.Equal([2L, 2], model.get_parameter("layers.1.weight").shape);
        Assert.Equal(6, model.parameters().Count());
        Assert.Equal(2, model.buffers().Count());
        Assert.Equal(2, model.children().Count());
        Assert.Equal(4, model.modules().Count());
        Assert.True(model.has_parameter("inner.bias"));
        Assert.False(model.has_parameter("inner.biases"));
        Assert.True(model.has_buffer("mean"));
        AreEqual([5], model.get_buffer("mean"));
        Assert.Null(model.get_parameter("nothing"));
        Assert.Equal("Model", model.GetName());
    }

    [Fact]
    public void The_state_is_parameters_and_persistent_buffers()
    {
        using var model = new Model();
        var state = model.state_dict();
        Assert.Equal(
            ["scale", "weight", "mean", "inner.weight", "inner.bias", "layers.0.weight", "layers.1.weight"], state.Keys);
        Assert.Same(model.get_parameter("inner.bias"), state["inner.bias"]);
        Assert.Equal("model.scale", model.state_dict(prefix: "model").Keys.First());
    }

    [Fact]
    public void A_loaded_state_is_copied()
    {
        using var model = new Model();
        using var source = new Model();
        var state = source.state_dict();
        var (missing, unexpected) = model.load_state_dict(state);
        Assert.Empty(missing);
        Assert.Empty(unexpected);
        Assert.Equal(Of(source.get_parameter("inner.weight")), Of(model.get_parameter("inner.weight")));
        Assert.NotEqual(state["scale"].Handle, model.get_parameter("scale").Handle);
    }

    [Fact]
    public void A_state_with_other_names_is_refused_unless_strict_is_off()
    {
        using var model = new Model();
        var state = model.state_dict();
        state.Remove("scale");
        state.Add("bias", Vector(1));
        var error = Assert.Throws<InvalidOperationException>(() => model.load_state_dict(state));
        Assert.Equal(
            "The loaded state_dict is not identical to the target dictionary. Missing: scale. Unexpected: bias.", error.Message);
        var (missing, unexpected) = model.load_state_dict(state, strict: false);
        Assert.Equal(["scale"], missing);
        Assert.Equal(["bias"], unexpected);
        Assert.Empty(model.load_state_dict(state, strict: true, skip: ["scale", "bias"]).missing_keys);
    }

    [Fact]
    public void A_shared_parameter_is_listed_once()
    {
        using var model = new Tied();
        Assert.Equal(["first"], model.named_parameters().Select(named => named.name));
        Assert.Equal(["first", "second"], model.state_dict().Keys);
    }

    [Fact]
    public void Training_and_evaluation_reach_every_module()
    {
        using var model = new Model();
        Assert.True(model.training);
        model.eval();
        Assert.All(model.modules(), module => Assert.False(module.training));
        model.train();
        Assert.All(model.modules(), module => Assert.True(module.training));
    }

    [Fact]
    public void Zero_grad_forgets_or_zeroes()
    {
        using var layer = nn.Linear(2, 1);
        layer.call(Matrix()[.., ..2]).sum().backward();
        AreEqual([5, 7], layer.weight.grad);
        layer.zero_grad(set_to_none: false);
        AreEqual([0, 0], layer.weight.grad);
        layer.zero_grad();
        Assert.Null(layer.weight.grad);
    }

    [Fact]
    public void Apply_visits_the_inner_modules_first()
    {
        using var model = new Model();
        var names = new List<string>();
        model.apply(module => names.Add(module.GetName()));
        Assert.Equal(["Linear", "Linear", "Linear", "ModuleList", "Model"], names);
    }

    [Fact]
    public void Names_can_be_given_once_only()
    {
        using var model = new Model();
        Assert.Equal(
            "Parameter weight is already registered.",
            Assert.Throws<InvalidOperationException>(() => model.register_parameter("weight", new Parameter(Vector(1)))).Message);
        Assert.Equal(
            "Tensor mean is already registered.",
            Assert.Throws<InvalidOperationException>(() => model.register_buffer("mean", Vector(1))).Message);
        Assert.Equal(
            "Sub-module inner is already registered.",
            Assert.Throws<InvalidOperationException>(() => model.add_module("inner", nn.Linear(1, 1))).Message);
        Assert.StartsWith("Sub-module x is null.", Assert.Throws<ArgumentException>(() => model.register_module("x", null)).Message);
    }

    [Fact]
    public void Conversion_replaces_parameters_and_buffers_in_registry_and_fields()
    {
        using var model = new Model();
        var before = model.parameters().ToArray();
        Assert.Same(model, model.to(ScalarType.BFloat16));
        Assert.All(model.parameters(), parameter => Assert.Equal(ScalarType.BFloat16, parameter.dtype));
        Assert.Equal([ScalarType.BFloat16, ScalarType.Int64], model.buffers().Select(buffer => buffer.dtype));
        Assert.All(before, parameter => Assert.True(parameter.IsInvalid));
        Assert.Same(model.get_parameter("weight"), model.Weight);
        Assert.False(model.get_parameter("scale").requires_grad);
        Assert.True(model.Weight.requires_grad);
        var same = model.Weight;
        model.to(CPU).cpu();
        Assert.Same(same, model.Weight);
        model.to("meta", non_blocking: true);
        Assert.All(model.parameters(), parameter => Assert.Equal(DeviceType.META, parameter.device_type));
    }

    [Fact]
    public void Conversion_to_a_type_and_a_device_at_once()
    {
        using var layer = nn.Linear(2, 2).to(new Device("meta"), ScalarType.Float64);
        Assert.Equal(ScalarType.Float64, layer.weight.dtype);
        Assert.Equal(DeviceType.META, layer.bias.device_type);
        Assert.Equal(ScalarType.Float16, layer.to(zeros(1, ScalarType.Float16, new Device("meta"))).weight.dtype);
        Assert.Equal(DeviceType.META, nn.Linear(1, 1).to(DeviceType.META).weight.device_type);
    }

    [Fact]
    public void A_shared_parameter_stays_shared_through_a_conversion()
    {
        using var model = new Tied();
        model.to(ScalarType.Float64);
        var state = model.state_dict();
        Assert.Same(state["first"], state["second"]);
        Assert.Equal(ScalarType.Float64, state["first"].dtype);
    }

    [Fact]
    public void Disposing_disposes_everything_within()
    {
        var model = new Model();
        var tensors = model.state_dict().Values;
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

        public Parameter Weight => weight;
    }

    private sealed class Model : Base
    {
        private readonly Parameter scale = new(Vector(3), requires_grad: false);
        private readonly Tensor mean = Vector(5);
        private readonly Linear inner = nn.Linear(2, 2);
        private readonly ModuleList<Linear> layers = nn.ModuleList(nn.Linear(2, 2, hasBias: false), nn.Linear(2, 2, hasBias: false));

        public Model()
        {
            RegisterComponents();
            RegisterComponents();
            register_buffer("scratch", tensor(1L), persistent: false);
        }

        public override Tensor forward(Tensor input) =>
            layers.Aggregate(inner.call(input), (hidden, layer) => layer.call(hidden)) * scale + mean;
    }

    private sealed class Tied : nn.Module
    {
        public Tied()
            : base(nameof(Tied))
        {
            var shared = new Parameter(Vector(1));
            register_parameter("first", shared);
            register_parameter("second", shared);
        }
    }
}
