using RewardModel.Adapters;
using RewardModel.Backbones;
using RewardModel.Kernels;
using RewardModel.Layers;
using static TorchSharp.torch;

namespace RewardModel.Tests.Adapters;

/// <summary>Alone, because torch's default generator is that of the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class LowRankAdapterTests
{
    // Few rows are computed by libtorch's operators, many by the kernels.
    public static TheoryData<string, int> Layers => new()
    {
        { nameof(Linear), 7 }, { nameof(Linear), 4096 }, { nameof(Conv1D), 7 }, { nameof(Conv1D), 4096 },
    };

    private const int inputs = 48, outputs = 72, rank = 3;
    private const double scale = 5.0 / rank;

    [Theory, MemberData(nameof(Layers))]
    public void Result_and_gradients_are_those_of_the_formula(string kind, int rows)
    {
        using var scope = NewDisposeScope();
        var layer = Layer(kind);
        var (x, g) = (randn(rows, inputs).requires_grad_(), randn(rows, outputs));
        var y = layer.call(x);
        y.backward([g]);
        KernelErrors.Throw();

        var (A, B, W, b) = Numbers(layer);
        var (X, G) = (x.detach().to(float64), g.to(float64));
        var H = X.mm(A.t());
        Near(X.mm(W.t()).add(b).add(H.mm(B.t()).mul(scale)), y);
        Near(G.t().mm(H).mul(scale), layer.Adapter!.lora_B.grad!);
        Near(G.mm(B).t().mm(X).mul(scale), layer.Adapter.lora_A.grad!);
        Near(G.mm(W).add(G.mm(B).mm(A).mul(scale)), x.grad!);
        Assert.All(layer.parameters(recurse: false), parameter => Assert.Null(parameter.grad));
    }

    [Theory]
    [InlineData("silu", true, 7)]
    [InlineData("silu", true, 4096)]
    [InlineData("gelu_new", false, 4096)]
    [InlineData("gelu", true, 4096)]
    [InlineData("relu", false, 7)]
    public void Behind_a_function_they_are_as_well(string activation, bool isGated, int rows)
    {
        using var scope = NewDisposeScope();
        var layer = Layer(nameof(Linear));
        var function = ActivationFunction.Named(activation);
        var (x, up, g) = (randn(rows, inputs).requires_grad_(), randn(rows, inputs).requires_grad_(), randn(rows, outputs));
        var y = layer.After(function, x, isGated ? up : null);
        y.backward([g]);
        KernelErrors.Throw();

        var (A, B, W, b) = Numbers(layer);
        var (X, Up, G) = (x.detach().to(float64).requires_grad_(), up.detach().to(float64).requires_grad_(), g.to(float64));
        var value = isGated ? function.Of(X).mul(Up) : function.Of(X);
        var (a, bMatrix) = (A.requires_grad_(), B.requires_grad_());
        var expected = value.mm(W.t()).add(b).add(value.mm(a.t()).mm(bMatrix.t()).mul(scale));
        expected.backward([G]);
        Near(expected, y);
        Near(a.grad!, layer.Adapter!.lora_A.grad!);
        Near(bMatrix.grad!, layer.Adapter.lora_B.grad!);
        Near(X.grad!, x.grad!);
        if (isGated)
            Near(Up.grad!, up.grad!);
    }

    [Fact]
    public void An_input_without_gradient_gets_none()
    {
        using var scope = NewDisposeScope();
        var layer = Layer(nameof(Linear));
        var x = randn(4096, inputs);
        layer.call(x).sum().backward();
        KernelErrors.Throw();
        Assert.Null(x.grad);
        var (_, B, _, _) = Numbers(layer);
        Near(ones(4096, outputs, float64).mm(B).t().mm(x.to(float64)).mul(scale), layer.Adapter!.lora_A.grad!);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dropout_acts_on_what_A_takes_alone(bool isBehindFunction)
    {
        using var scope = NewDisposeScope();
        const double rate = 0.5;
        var layer = Layer(nameof(Linear), rate);
        var x = ones(20_000, inputs);
        var function = ActivationFunction.Named("silu");
        Tensor Compute() => isBehindFunction ? layer.After(function, x, x) : layer.call(x);
        manual_seed(3);
        var first = Compute();
        manual_seed(3);
        Assert.True(first.Equals(Compute()));
        Assert.False(first.Equals(Compute()));
        layer.Adapter!.eval();
        var undropped = Compute();
        // Rows differ, and their mean is what it is without dropout.
        Assert.InRange(first.std(0).min().item<float>(), 0.01, 100);
        var error = first.std(0).div(Math.Sqrt(first.size(0)));
        Assert.InRange(first.mean([0]).sub(undropped[0]).div(error).abs().max().item<float>(), 0, 5);
    }

    [Fact]
    public void A_is_drawn_within_its_bound_and_B_is_zero()
    {
        using var scope = NewDisposeScope();
        var adapter = new LowRankAdapter(400, 30, 8, 16, new LoraOptions(8));
        manual_seed(1);
        adapter.Initialize();
        Assert.InRange(adapter.lora_A.abs().max().item<float>(), 0.049, 0.05);
        Assert.InRange(adapter.lora_A.std().item<float>(), 0.05 / Math.Sqrt(3) - 1e-3, 0.05 / Math.Sqrt(3) + 1e-3);
        Assert.Equal(0, adapter.lora_B.abs().max().item<float>());
        Assert.Equal(2, adapter.Scale);
        Assert.Equal(16 / Math.Sqrt(8), new LowRankAdapter(4, 4, 8, 16, new LoraOptions(8) { IsRankStabilized = true }).Scale);
    }

    [Fact]
    public void In_bfloat16_it_is_near()
    {
        using var scope = NewDisposeScope();
        var layer = Layer(nameof(Linear));
        var x = randn(64, inputs);
        var expected = layer.call(x);
        layer.Precision = Precision.Bfloat16;
        Assert.InRange(layer.call(x).sub(expected).abs().max().item<float>() / expected.abs().max().item<float>(), 0, 0.01);
    }

    private static MatrixLayer Layer(string kind, double dropout = 0)
    {
        manual_seed(1);
        MatrixLayer layer = kind == nameof(Linear) ? new Linear(inputs, outputs, hasBias: true) : new Conv1D(inputs, outputs);
        layer.Attach(new LowRankAdapter(inputs, outputs, rank, scale * rank, new LoraOptions(rank) { Dropout = dropout }));
        using var _ = no_grad();
        foreach (var parameter in layer.parameters())
            nn.init.normal_(parameter);
        foreach (var parameter in layer.parameters(recurse: false))
            parameter.requires_grad = false;
        return layer;
    }

    private static (Tensor A, Tensor B, Tensor W, Tensor Bias) Numbers(MatrixLayer layer)
    {
        Tensor[] own = [.. layer.parameters(recurse: false).Select(parameter => parameter.detach().to(float64))];
        return (
            layer.Adapter!.lora_A.detach().to(float64), layer.Adapter.lora_B.detach().to(float64), layer is Conv1D ? own[0].t() : own[0], own[1]);
    }

    private static void Near(Tensor expected, Tensor found) => Assert.InRange(
        found.detach().to(float64).sub(expected.detach()).abs().max().item<double>() / expected.detach().abs().max().item<double>(), 0, 5e-6);
}
