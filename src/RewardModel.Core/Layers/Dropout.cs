using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>Dropout as a function: nothing to register, and nothing to do at rate 0 or in evaluation.</summary>
internal static class Dropout
{
    public static Tensor Apply(Tensor x, double rate, bool training) =>
        training && rate > 0 ? nn.functional.dropout(x, rate, training: true) : x;
}
