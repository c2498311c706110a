namespace RewardModel.Training.Planning;

/// <summary>How a step is done.</summary>
/// <param name="Sharding">What ranks divide.</param>
/// <param name="MaxTokensPerBatch">Most tokens of a micro-batch.</param>
/// <param name="ActivationCheckpointing">Whether layers are computed again; always with <see cref="Sharding.Parameters"/>.</param>
/// <param name="OffloadsOptimizer">Whether moments lie in the CPU's memory and are updated there.</param>
/// <param name="DividesWithinNodes">
/// Whether ranks divide among those of their node alone, of which every node has all parts, and gradients are added up between nodes. This
/// trainer always divides among all ranks.
/// </param>
internal sealed record StepSettings(
    Sharding Sharding, long MaxTokensPerBatch, bool ActivationCheckpointing = false, bool OffloadsOptimizer = false,
    bool DividesWithinNodes = false)
{
    /// <summary>Whether layers are computed again in the backward pass.</summary>
    public bool Recomputes => ActivationCheckpointing || Sharding == Sharding.Parameters;
}
