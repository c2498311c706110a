using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A layer that multiplies with its weight: where nearly all arithmetic is, and where <see cref="Precision"/> acts.</summary>
internal abstract class MatrixLayer(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>The type that the product is computed in; its result and its weight are float32 in any case.</summary>
    public Precision Precision { get; set; }

    /// <summary>x W^T + b.</summary>
    /// <param name="x_TD">[T, inputs], float32.</param>
    /// <param name="weight">[outputs, inputs], float32.</param>
    /// <param name="bias">[outputs], float32, or null.</param>
    /// <returns>[T, outputs], float32.</returns>
    protected Tensor Multiply(Tensor x_TD, Tensor weight, Parameter? bias)
    {
        if (Precision == Precision.Float32)
            return nn.functional.linear(x_TD, weight, bias!);
        var product = nn.functional.linear(x_TD.to(bfloat16), weight.to(bfloat16)).to(float32);
        return bias is null ? product : product.add_(bias);
    }
}
