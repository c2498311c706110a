using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// The R rows of a packed row of T tokens for which a layer computes its result: all, or in the last layer only the scored ones, which
/// are all that is read of it. Keys and values are those of all tokens in any case.
/// </summary>
/// <param name="Sequences">The packed row.</param>
/// <param name="AreScored">Whether only the scored rows are computed.</param>
/// <param name="Layer">The layer's number, from 0: its keys and values in a <see cref="PromptCache"/>.</param>
internal readonly record struct QueryRows(PackedSequences Sequences, bool AreScored, int Layer = 0)
{
    /// <summary>[T, ...] to [R, ...].</summary>
    public Tensor Of(Tensor x_TD) => AreScored ? x_TD.index_select(0, Sequences.ScoredRows) : x_TD;

    /// <summary>The same for both of a rotary embedding's tensors.</summary>
    public (Tensor Cos, Tensor Sin) Of((Tensor Cos, Tensor Sin) angles) => (Of(angles.Cos), Of(angles.Sin));
}
