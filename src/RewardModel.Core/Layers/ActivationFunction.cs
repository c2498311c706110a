using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>A pointwise function that checkpoints name in their configuration.</summary>
internal sealed class ActivationFunction
{
    /// <summary>The names that <see cref="Named"/> knows, as transformers spells them.</summary>
    public static readonly string[] Names = ["gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "tanh"];

    private readonly Func<Tensor, Tensor> function;

    private ActivationFunction(Func<Tensor, Tensor> function, NativeActivation? native = null) =>
        (this.function, Native) = (function, native);

    /// <summary>What the kernels know it as; null where they don't: autograd needs no more than its result, which is kept anyway.</summary>
    public NativeActivation? Native { get; }

    /// <summary>The function of a name.</summary>
    /// <exception cref="ArgumentException">The name is not among <see cref="Names"/>.</exception>
    public static ActivationFunction Named(string name) => name switch
    {
        "gelu" => new(x => x.gelu(), NativeActivation.Gelu),
        "gelu_fast" or "gelu_new" or "gelu_pytorch_tanh" => new(
            NativeKernels.AreAvailable ? NativeKernels.GeluTanh : ComposedGeluTanh, NativeActivation.GeluTanh),
        "relu" => new(x => x.relu()),
        "silu" => new(x => x.silu(), NativeActivation.Silu),
        "tanh" => new(x => x.tanh()),
        _ => throw new ArgumentException($"activation '{name}' is not known; expected one of {string.Join(", ", Names)}", nameof(name)),
    };

    /// <summary>The function of every number.</summary>
    public Tensor Of(Tensor x) => function(x);

    /// <summary>
    /// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel, arXiv 1606.08415), written as x sigmoid(2 u) because
    /// 0.5 (1 + tanh(u)) = sigmoid(2 u): two operators fewer.
    /// </summary>
    internal static Tensor ComposedGeluTanh(Tensor x)
    {
        var twiceRoot = 2 * Math.Sqrt(2 / Math.PI);
        return x.mul(x).mul(twiceRoot * 0.044715).add(twiceRoot).mul(x).sigmoid().mul(x);
    }
}
