using RewardModel.Adapters;
using RewardModel.Kernels;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A layer that multiplies with its weight: where nearly all arithmetic is, and where <see cref="Precision"/> acts.</summary>
internal abstract class MatrixLayer(string name) : WeightLayer(name)
{
    private const string adapterName = "adapter";

    /// <summary>[outputs, inputs], float32: the parameter or a view of it. No numbers where the weight is stored.</summary>
    protected abstract Tensor Matrix { get; }

    /// <summary>[outputs], float32, or null.</summary>
    protected abstract Parameter? Offset { get; }

    /// <summary>
    /// The type that the product is computed in, where the device does so fast; its result and its weight are float32 in any case.
    /// </summary>
    public Precision Precision { get; set; }

    /// <summary>What the product is computed in: for layers that need more than was asked for.</summary>
    private protected virtual Precision PrecisionOfProduct => Precision;

    /// <summary>
    /// Whether, where no gradients are recorded, each row's result is the same to the bit whatever other rows there are: by
    /// <see cref="InvariantProduct"/>, on the CPU.
    /// </summary>
    public bool IsBatchInvariant { get; set; }

    /// <summary>What is added to the layer's product; null: nothing.</summary>
    public LowRankAdapter? Adapter { get; private set; }

    /// <summary>Numbers of a row that the layer takes.</summary>
    public long Inputs => Matrix.size(1);

    /// <summary>Numbers of a row that the layer gives.</summary>
    public long Outputs => Matrix.size(0);

    /// <summary>Whether a parameter of a model, by its name there, is one of a layer's adapter.</summary>
    public static bool IsOfAdapter(string name) => name.Split('.') is [.., adapterName, _];

    /// <summary>Lets an adapter add to the layer's product; it is the layer's own from now on.</summary>
    public void Attach(LowRankAdapter adapter)
    {
        register_module(adapterName, adapter);
        Adapter = adapter;
    }

    /// <summary>Takes the adapter away again, and disposes of it.</summary>
    public void Detach()
    {
        // There is no other module in a layer.
        ClearModules();
        Adapter?.Dispose();
        Adapter = null;
    }

    /// <summary>Adds the adapter's product to the weight, and takes the adapter away.</summary>
    public void Merge()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (Adapter is not null)
            Matrix.add_(Adapter.Product());
        Detach();
    }

    /// <summary>x W^T + b, and what the adapter adds.</summary>
    /// <param name="x_TD">[T, inputs], float32; on a GPU also in the type of the product.</param>
    /// <returns>[T, outputs], float32.</returns>
    public override Tensor forward(Tensor x_TD)
    {
        if (IsBatchInvariant && !is_grad_enabled())
            return InvariantResult(x_TD);
        var precision = Bfloat16Support.Resolve(PrecisionOfProduct, x_TD.device_type);
        var y = Product(x_TD, precision);
        return Adapter?.AddTo(y, x_TD, precision) ?? y;
    }

    private Tensor InvariantResult(Tensor x_TD)
    {
        using var stored_IO = Stored?.Factor(Precision.Float32);
        using var stored_OI = stored_IO?.t();
        var y = InvariantProduct.Of(x_TD, stored_OI ?? Matrix, Offset);
        return Adapter?.AddInvariantTo(y, x_TD) ?? y;
    }

    private Tensor Product(Tensor x_TD, Precision precision)
    {
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
        if (IsBatchInvariant && !is_grad_enabled())
            return InvariantResult(activation.InvariantOf(x_TI, up_TI));
        if (activation.Kernel is { } kernel)
        {
            var precision = Bfloat16Support.Resolve(PrecisionOfProduct, x_TI.device_type);
            var settings = new ActivatedLinearSettings(kernel, precision, Stored);
            var y = ActivatedLinearKernel.Apply(settings, x_TI, up_TI, Stored is null ? Matrix.t() : null, Offset);
            // Dropout is drawn on the product's input, which has to be there then.
            return Adapter is null ? y
                : Adapter.DrawsDropout ? Adapter.AddTo(y, Activated(), precision)
                : Adapter.AddTo(y, settings with { Stored = null }, x_TI, up_TI);
        }
        return call(Activated());

        Tensor Activated()
        {
            var activated_TI = activation.Of(x_TI);
            return up_TI is null ? activated_TI : activated_TI.mul(up_TI);
        }
    }
}
