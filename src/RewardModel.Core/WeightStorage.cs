namespace RewardModel;

/// <summary>
/// How the frozen matrices of a backbone are kept in memory. They are converted for each product, forwards and backwards, and what is trained
/// is float32 in any case.
/// </summary>
public enum WeightStorage
{
    /// <summary>32 bits, as all that is trained.</summary>
    Float32,

    /// <summary>16 bits with float32's range and 8 bits of precision: exact for checkpoints in bfloat16.</summary>
    Bfloat16,

    /// <summary>
    /// 8 bits: whole numbers from -127 to 127 times a scale of every 64 weights, 8.25 bits in all (absmax quantisation, Dettmers et al., arXiv
    /// 2208.07339, by blocks as in arXiv 2110.02861).
    /// </summary>
    Int8,

    /// <summary>
    /// 4 bits: the 16 levels of NormalFloat4 times a scale of every 64 weights, 4.25 bits in all (Dettmers et al., QLoRA, arXiv 2305.14314).
    /// </summary>
    Nf4,
}
