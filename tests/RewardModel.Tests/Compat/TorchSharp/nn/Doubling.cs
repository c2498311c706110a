using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

/// <summary>A module of one parameter, 2, which it multiplies its input with.</summary>
internal sealed class Doubling : nn.Module<Tensor, Tensor>
{
    private readonly Parameter scale = new(Vector(2));

    public Doubling()
        : base(nameof(Doubling)) => RegisterComponents();

    public override Tensor forward(Tensor input) => input * scale;
}
