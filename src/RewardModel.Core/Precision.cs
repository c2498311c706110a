namespace RewardModel;

/// <summary>
/// The type that the products with weight matrices are computed in. Weights, their gradients and the optimiser's state, norms,
/// convolutions, attention between its projections, the head and the loss are float32 in any case; but flash attention, on a GPU, computes
/// in this type too.
/// </summary>
public enum Precision
{
    /// <summary>32 bits.</summary>
    Float32,

    /// <summary>
    /// 16 bits with float32's range and 8 bits of precision. On a CPU without instructions for it (AVX512_BF16 or AMX) it would be many times
    /// slower: there products are computed in float32.
    /// </summary>
    Bfloat16,
}
