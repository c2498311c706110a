namespace RewardModel.Training.Planning;

/// <summary>What ranks divide among them, each step containing the one before (ZeRO, Rajbhandari et al., arXiv 1910.02054).</summary>
internal enum Sharding
{
    /// <summary>Nothing: every rank has all of it, and gradients are added up over all ranks.</summary>
    None,

    /// <summary>The optimiser's state (ZeRO 1): a rank updates its part of the weights, which all ranks then gather.</summary>
    Optimizer,

    /// <summary>Gradients as well (ZeRO 2): a rank keeps the sums of its part only.</summary>
    Gradients,

    /// <summary>
    /// Weights as well (ZeRO 3): a layer's are gathered when it is computed, and again when the backward pass comes to it. Implies
    /// activation checkpointing.
    /// </summary>
    Parameters,
}
