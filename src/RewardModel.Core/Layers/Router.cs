using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>
/// The matrix, [experts, inputs], whose products say which experts a token goes through. Always float32, in products and as it is stored: a
/// little less moves a token to another expert, and all that comes of it.
/// </summary>
internal sealed class Router : MatrixLayer
{
    public readonly Parameter weight;
    public readonly Parameter? bias;

    public Router(long inputs, long expertCount, bool hasBias = false) : base(nameof(Router))
    {
        weight = new Parameter(empty(expertCount, inputs));
        bias = hasBias ? new Parameter(empty(expertCount)) : null;
        RegisterComponents();
    }

    internal override Parameter Weight => weight;

    protected override Tensor Matrix => weight;

    protected override Parameter? Offset => bias;

    private protected override Precision PrecisionOfProduct => Precision.Float32;

    internal override WeightStorage StorageFor(WeightStorage asked) => WeightStorage.Float32;
}
