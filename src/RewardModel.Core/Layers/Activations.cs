using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>The pointwise functions that checkpoints name in their configuration.</summary>
internal static class Activations
{
    /// <summary>The names that <see cref="ByName"/> knows, as transformers spells them.</summary>
    public static readonly string[] Names = ["gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "tanh"];

    public static Func<Tensor, Tensor> ByName(string name) => name switch
    {
        "gelu" => x => x.gelu(),
        "gelu_fast" or "gelu_new" or "gelu_pytorch_tanh" => NativeKernels.AreAvailable ? NativeKernels.GeluTanh : ComposedGeluTanh,
        "relu" => x => x.relu(),
        "silu" => x => x.silu(),
        "tanh" => x => x.tanh(),
        _ => throw new ArgumentException($"activation '{name}' is not known; expected one of {string.Join(", ", Names)}", nameof(name)),
    };

    /// <summary>activation(gate) * up, with an activation of <see cref="Names"/>: both [T, I] to [T, I].</summary>
    public static Func<Tensor, Tensor, Tensor> Gated(string name)
    {
        var activation = ByName(name);
        bool? isGelu = name switch
        {
            "silu" => false,
            "gelu_fast" or "gelu_new" or "gelu_pytorch_tanh" => true,
            _ => null,
        };
        return (gate_TI, up_TI) => isGelu is { } gelu && NativeKernels.CanTake(gate_TI)
            ? NativeKernels.Gate(gate_TI, up_TI, gelu)
            : activation(gate_TI).mul(up_TI);
    }

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
