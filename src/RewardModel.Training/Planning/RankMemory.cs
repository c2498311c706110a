namespace RewardModel.Training.Planning;

/// <summary>The memory of one rank in training, by what it is for, in bytes.</summary>
/// <remarks>
/// With N ranks, W parameters of which T are trained, M bytes of moments, P of the group outside the layers and L of the largest layer, all
/// of float32: see <see cref="Of"/>. One rank divides nothing and sends nothing.
/// </remarks>
/// <param name="Weights">The rank's own weights.</param>
/// <param name="GatheredWeights">Whole groups of weights, gathered from all ranks for as long as they are computed with.</param>
/// <param name="Gradients">The gradients that the rank keeps.</param>
/// <param name="GatheredGradients">Whole groups of gradients that have not been added up over the ranks yet.</param>
/// <param name="Moments">What the optimiser keeps, where it is not offloaded.</param>
/// <param name="Averages">The rank's part of a moving average of the weights.</param>
/// <param name="Activations">What a micro-batch leaves for its backward pass, and what passes.</param>
/// <param name="Buffers">Gradients of one group side by side, as they are sent; on the CPU also what MPI adds them up in.</param>
/// <param name="HostBytes">In the CPU's memory: offloaded moments, the weights that they update, and their gradients.</param>
internal sealed record RankMemory(
    long Weights, long GatheredWeights, long Gradients, long GatheredGradients, long Moments, long Averages, long Activations, long Buffers,
    long HostBytes)
{
    /// <summary>All that lies in the GPU's memory.</summary>
    public long Total =>
        Weights + GatheredWeights + Gradients + GatheredGradients + Moments + Averages + Activations + Buffers;

    /// <summary>The memory of each rank.</summary>
    /// <param name="model">The model's groups.</param>
    /// <param name="sharding">What ranks divide.</param>
    /// <param name="rankCount">Ranks among which it is divided.</param>
    /// <param name="activations">
    /// Bytes of a micro-batch's activations: <see cref="ActivationMemory.Of"/> or measured; with <see cref="Sharding.Parameters"/> those
    /// with checkpointing.
    /// </param>
    /// <param name="offloadsOptimizer">Whether moments, the weights that they update and their gradients lie in the CPU's memory.</param>
    /// <param name="hasAverages">Whether a moving average of the trained weights is kept, divided as moments are.</param>
    /// <param name="isOnGpu">False: ranks are processes on CPUs, and the CPU's memory is what counts.</param>
    public static RankMemory Of(
        ModelShape model, Sharding sharding, int rankCount, long activations, bool offloadsOptimizer = false, bool hasAverages = false,
        bool isOnGpu = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rankCount, 1);
        var all = model.All;
        if (rankCount == 1)
            sharding = Sharding.None;
        long Part(long bytes, Sharding from) => sharding >= from ? (bytes + rankCount - 1) / rankCount : bytes;
        // Two layers: one that is computed, and the next, which is gathered meanwhile, or the last, which is being added up.
        var heldLayers = Math.Min(2, model.Layers.Count);
        long Held(Func<GroupShape, long> bytes) =>
            bytes(model.Root) + heldLayers * model.Layers.Select(bytes).DefaultIfEmpty().Max();
        var moments = Part(all.MomentBytes, Sharding.Optimizer);
        var largestGradients = model.Layers.Append(model.Root).Max(group => group.GradientBytes);
        // Open MPI adds up in memory of its own: of a reduce-scatter a copy of the row, and of an other rank's what comes at a time, a half
        // with two ranks; of an all-reduce that half alone (measured: bench/results/2026-11-27-ranks.md).
        var ofMpi = isOnGpu ? 0 : sharding == Sharding.None ? largestGradients / 2 : largestGradients + largestGradients / 2;
        return new RankMemory(
            Weights: Part(all.WeightBytes, Sharding.Parameters),
            GatheredWeights: sharding == Sharding.Parameters ? Held(group => group.WeightBytes) : 0,
            Gradients: Part(all.GradientBytes, Sharding.Gradients),
            GatheredGradients: sharding >= Sharding.Gradients ? Held(group => group.GradientBytes) : 0,
            Moments: offloadsOptimizer ? 0 : moments,
            Averages: hasAverages ? Part(sizeof(float) * all.TrainedParameters, Sharding.Optimizer) : 0,
            Activations: activations,
            Buffers: rankCount == 1 ? 0 : (sharding < Sharding.Gradients ? largestGradients : 0) + ofMpi,
            HostBytes: offloadsOptimizer ? moments + 2 * Part(sizeof(float) * all.TrainedParameters, Sharding.Optimizer) : 0);
    }
}
