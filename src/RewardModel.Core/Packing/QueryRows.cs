using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// The R rows of a packed row of T tokens for which a layer computes its result: all, or in the last layer only the scored ones, which
/// are all that is read of it. Keys and values are those of all tokens in any case.
/// </summary>
internal readonly record struct QueryRows(PackedSequences Sequences, bool AreScored)
{
    /// <summary>[T, ...] to [R, ...].</summary>
    public Tensor Of(Tensor x_TD) => AreScored ? x_TD.index_select(0, Sequences.ScoredRows) : x_TD;

    /// <summary>The same for both of a rotary embedding's tensors.</summary>
    public (Tensor Cos, Tensor Sin) Of((Tensor Cos, Tensor Sin) angles) => (Of(angles.Cos), Of(angles.Sin));
}
