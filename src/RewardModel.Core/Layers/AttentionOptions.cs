using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>What architectures do differently in attention.</summary>
/// <param name="Scale">Factor on the products of queries and keys, mostly 1 / sqrt(H).</param>
internal sealed record AttentionOptions(double Scale)
{
    /// <summary>Probability with which an attention weight is set to 0; 0 in evaluation.</summary>
    public double Dropout { get; init; }

    /// <summary>The type of the layer's matrix products, in which flash attention computes too.</summary>
    public Precision Precision { get; init; }

    /// <summary>The keys that a query sees.</summary>
    public AttentionReach Reach { get; init; } = AttentionReach.Causal;

    /// <summary>c in c tanh(score / c), which keeps scores between -c and c; null for scores as they are.</summary>
    public double? SoftCap { get; init; }

    /// <summary>
    /// What is added to the scores of each head by the key's position in its sequence, [N, P] float32, for P of at least the longest
    /// sequence; it gets no gradient. Null for nothing.
    /// </summary>
    public Tensor? KeyBias_NP { get; init; }

    /// <summary>
    /// One more score for every query of a head, [N] float32, that takes its part of the softmax and has no value (Xiao et al., arXiv
    /// 2309.17453). Null for none.
    /// </summary>
    public Tensor? Sinks_N { get; init; }

    /// <summary>
    /// What is added to the scores: from scaled queries and keys, both [B, A, H] with B sequences times heads, to [B, A, A]. For
    /// sequences without a parent, and as many key heads as query heads.
    /// </summary>
    public Func<Tensor, Tensor, Tensor>? Bias { get; init; }
}
