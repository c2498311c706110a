using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>x W^T + b, its weight [outputs, inputs] as checkpoints store it, uninitialised until loaded or drawn.</summary>
internal sealed class Linear : MatrixLayer
{
    public readonly Parameter weight;
    public readonly Parameter? bias;

    public Linear(long inputs, long outputs, bool hasBias) : base(nameof(Linear))
    {
        weight = new Parameter(empty(outputs, inputs));
        bias = hasBias ? new Parameter(empty(outputs)) : null;
        RegisterComponents();
    }

    internal override Parameter Weight => weight;

    protected override Tensor Matrix => weight;

    protected override Parameter? Offset => bias;
}
