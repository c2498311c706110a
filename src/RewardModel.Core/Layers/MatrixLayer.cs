using RewardModel.Kernels;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A layer that multiplies with its weight: where nearly all arithmetic is, and where <see cref="Precision"/> acts.</summary>
internal abstract class MatrixLayer(string name) : WeightLayer(name)
{
    /// <summary>[outputs, inputs], float32: the parameter or a view of it. No numbers where the weight is stored.</summary>
    protected abstract Tensor Matrix { get; }

    /// <summary>[outputs], float32, or null.</summary>
    protected abstract Parameter? Offset { get; }

    /// <summary>
    /// The type that the product is computed in, where the device does so fast; its result and its weight are float32 in any case.
    /// </summary>
    public Precision Precision { get; set; }

    /// <summary>x W^T + b.</summary>
    /// <param name="x_TD">[T, inputs], float32; on a GPU also in the type of the product.</param>
    /// <returns>[T, outputs], float32.</returns>
    public override Tensor forward(Tensor x_TD)
    {
        var precision = Bfloat16Support.Resolve(Precision, x_TD.device_type);
        if (Stored is not null)
            return LinearKernel.Apply(new LinearSettings(precision, Stored), x_TD, null, Offset);
        if (LinearKernel.CanTake(x_TD, Matrix, precision))
            return LinearKernel.Apply(new LinearSettings(precision), x_TD, Matrix.t(), Offset);
        if (precision == Precision.Float32)
            return nn.functional.linear(x_TD, Matrix, Offset!);
        var product = nn.functional.linear(x_TD.to(bfloat16), Matrix.to(bfloat16)).to(float32);
        return Offset is null ? product : product.add_(Offset);
    }

    /// <summary>
    /// The layer behind a pointwise function, and behind a gate where there is one: f(x) W^T + b or (f(x) * up) W^T + b. What the product
    /// takes is not kept for the gradient, but computed again.
    /// </summary>
    /// <param name="activation">f.</param>
    /// <param name="x_TI">[T, inputs], float32.</param>
    /// <param name="up_TI">Likewise, or null.</param>
    /// <returns>[T, outputs], float32.</returns>
    public Tensor After(ActivationFunction activation, Tensor x_TI, Tensor? up_TI = null)
    {
        if (activation.Kernel is { } kernel)
        {
            var precision = Bfloat16Support.Resolve(Precision, x_TI.device_type);
            return ActivatedLinearKernel.Apply(
                new ActivatedLinearSettings(kernel, precision, Stored), x_TI, up_TI, Stored is null ? Matrix.t() : null, Offset);
        }
        var activated_TI = activation.Of(x_TI);
        return call(up_TI is null ? activated_TI : activated_TI.mul(up_TI));
    }
}
