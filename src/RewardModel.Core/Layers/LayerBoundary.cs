using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// A layer's input as it is. Its backward function says that the layer's gradients are complete: autograd takes what is ready in the reverse
/// order of the forward pass, and a layer's input comes before all that is in the layer.
/// </summary>
internal sealed class LayerBoundary : Kernel<LayerBoundary, Action>
{
    protected override Tensor[] Compute(Action settings, Tensor?[] inputs, List<Tensor?>? saved) => [inputs[0]!.alias()];

    protected override Tensor?[] Gradients(Action settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed)
    {
        settings();
        return [gradients[0]?.alias()];
    }
}
