using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>The way of one forward pass through the layers.</summary>
/// <param name="LastLayer">The rows that the last layer is asked for; layers before it compute all.</param>
/// <param name="Checkpoints">Keeps each layer's input only; null: what autograd keeps.</param>
internal readonly record struct LayerPass(QueryRows LastLayer, ActivationCheckpoints? Checkpoints)
{
    /// <summary>What a tensor with a gradient, which layers read besides their input, has to go through first.</summary>
    public Tensor Shared(Tensor x) => Checkpoints?.Enter(x) ?? x;

    /// <summary>The layers one after the other.</summary>
    /// <param name="layers">In their order.</param>
    /// <param name="x_TD">Input of the first.</param>
    /// <param name="forward">
    /// A layer, its input and the rows that it computes, to its result. May run a second time, after the model's own dispose scope has
    /// ended: tensors that it captures belong to the sequences or are <see cref="Shared"/>.
    /// </param>
    public Tensor Through<TLayer>(IEnumerable<TLayer> layers, Tensor x_TD, Func<TLayer, Tensor, QueryRows, Tensor> forward)
    {
        TLayer[] all = [.. layers];
        var result_TD = Shared(x_TD);
        var lastLayer = LastLayer;
        for (var i = 0; i < all.Length; i++)
        {
            var (number, input_TD, isLast) = (i, result_TD, i == all.Length - 1);
            Tensor Layer()
            {
                lastLayer.Sequences.SeedDropout(number + 1);
                return forward(all[number], input_TD, isLast ? lastLayer : lastLayer with { AreScored = false });
            }
            result_TD = isLast || Checkpoints is null ? Layer() : Checkpoints.Run(Layer);
        }
        return result_TD;
    }
}
