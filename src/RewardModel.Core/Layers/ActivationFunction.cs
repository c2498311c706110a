using RewardModel.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>A pointwise function that checkpoints name in their configuration.</summary>
internal sealed class ActivationFunction
{
    /// <summary>The names that <see cref="Named"/> knows, as transformers spells them.</summary>
    public static readonly string[] Names = ["gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh", "relu", "relu2", "silu", "tanh"];

    private readonly Func<Tensor, Tensor> function;

    private ActivationFunction(Func<Tensor, Tensor> function, KernelActivation? kernel = null) =>
        (this.function, Kernel) = (function, kernel);

    /// <summary>What the kernel knows it as; null where it doesn't: autograd needs no more than its result, which is kept anyway.</summary>
    public KernelActivation? Kernel { get; }

    /// <summary>The function of a name.</summary>
    /// <exception cref="ArgumentException">The name is not among <see cref="Names"/>.</exception>
    public static ActivationFunction Named(string name) => name switch
    {
        "gelu" => new(x => x.gelu(), KernelActivation.Gelu),
        "gelu_fast" or "gelu_new" or "gelu_pytorch_tanh" => new(x => x.gelu(GELU.Approximate.tanh), KernelActivation.GeluTanh),
        "relu" => new(x => x.relu()),
        "relu2" => new(x => x.relu().pow(2), KernelActivation.SquaredRelu),
        "silu" => new(x => x.silu(), KernelActivation.Silu),
        "tanh" => new(x => x.tanh()),
        _ => throw new ArgumentException($"activation '{name}' is not known; expected one of {string.Join(", ", Names)}", nameof(name)),
    };

    /// <summary>The function of every number.</summary>
    public Tensor Of(Tensor x) => function(x);

    /// <summary>
    /// f(x), or f(x) * up, of which a row doesn't depend on the count of rows: libtorch computes what is left over of whole vectors, at the end
    /// of all numbers, by other instructions.
    /// </summary>
    /// <param name="x_TI">[T, I], float32, on the CPU.</param>
    /// <param name="up_TI">Likewise, or null.</param>
    public Tensor InvariantOf(Tensor x_TI, Tensor? up_TI)
    {
        if (Kernel is { } kernel && ActivatedLinearKernel.IsByRows(kernel, x_TI))
            return ActivatedLinearKernel.Value(new ActivatedLinearSettings(kernel, Precision.Float32), x_TI, up_TI);
        using var scope = NewDisposeScope();
        var activated_TI = cat([.. x_TI.split(1).Select(function)]);
        return (up_TI is null ? activated_TI : activated_TI.mul_(up_TI)).MoveToOuterDisposeScope();
    }
}
