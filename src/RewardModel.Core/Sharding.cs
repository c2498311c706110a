namespace RewardModel;

/// <summary>
/// What ranks that train a model together divide among them, so that each needs less memory (ZeRO, Rajbhandari et al., arXiv 1910.02054).
/// Whatever it is, the trained model is the same but for rounding, and a run can be resumed with another value.
/// </summary>
public enum Sharding
{
    /// <summary>Nothing: each rank has the whole model and all that belongs to it, and gradients are added up.</summary>
    None,

    /// <summary>What the optimiser keeps, and its work (ZeRO stage 1).</summary>
    Optimizer,

    /// <summary>Gradients as well (stage 2): each rank keeps those of its part of the weights.</summary>
    Gradients,

    /// <summary>
    /// Weights as well (stage 3): each rank keeps its part; a layer is put together when it is computed, in the forward pass and again in the
    /// backward pass. Activation checkpointing comes with it.
    /// </summary>
    Parameters,
}
