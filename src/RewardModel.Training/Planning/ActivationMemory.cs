using RewardModel.Layers;
using RewardModel.Scoring;

namespace RewardModel.Training.Planning;

/// <summary>
/// Bytes that a micro-batch's activations take. In float32 as <see cref="TrainingMemory"/> has it for the CPU; on a GPU, where attention is
/// then composed of operators, its weights come on top, without padding. In bfloat16 on a GPU what is kept has the type that the code keeps
/// it in, and every matrix that a product has taken is there in bfloat16 too until the backward pass has used it.
/// </summary>
/// <remarks>
/// In bfloat16, of each token and layer: what norms take, 4 bytes a number; what each matrix in front of attention and MLP takes, 2 bytes,
/// a copy for each (<see cref="Kernels.LinearKernel"/>); queries, keys, values and result of flash attention, 2 bytes; what the activation
/// function and its gate take, 4 bytes, of which the MLP's last product makes what it takes again
/// (<see cref="Kernels.ActivatedLinearKernel"/>, which keeps its weight in float32). Where flash attention is not used (docs/gpu.md), it is
/// more.
/// </remarks>
internal static class ActivationMemory
{
    /// <summary>Bytes, with what comes and goes in the backward pass through a layer.</summary>
    /// <param name="model">Its shapes, and what of it is trained.</param>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="precision">The type of products.</param>
    /// <param name="checkpointing">Whether layers are computed again.</param>
    /// <param name="isOnGpu">False: on the CPU, where all of it is float32 in any precision.</param>
    public static long Of(RewardTransformer model, MicroBatch batch, Precision precision, bool checkpointing, bool isOnGpu = true)
    {
        if (isOnGpu && precision == Precision.Bfloat16 && !model.Backbone.LayerShape.Attention.KeepsWeights)
            return InBfloat16(model, batch, checkpointing);
        var (all, checkpointed) = TrainingMemory.ActivationsOf(model, batch.Tokens, batch.AllPairs);
        var bytes = checkpointing ? checkpointed : all;
        var shape = model.Backbone.LayerShape.Attention;
        if (!isOnGpu || shape.KeepsWeights)
            return bytes;
        // Of each layer the softmax's result, and of one the scores, their gradient and that of the weights.
        var layers = model.Backbone.Layers.Count - model.Backbone.FrozenLayerCount;
        var weights = sizeof(float) * shape.Heads * batch.Pairs;
        return bytes + weights * ((checkpointing ? Math.Min(1, layers) : layers) + 3);
    }

    private static long InBfloat16(RewardTransformer model, MicroBatch batch, bool checkpointing)
    {
        const long exact = sizeof(float), half = 2;
        var (layers, shape) = (model.Backbone.Layers.Count, model.Backbone.LayerShape);
        if (layers == 0)
            return 0;
        var trained = layers - model.Backbone.FrozenLayerCount;
        var (attention, mlp) = (shape.Attention, shape.Mlp);
        var adapter = model.ModelAdapter;
        var inAttention = attention.IsFused ? 1 : 3;
        var inMlp = mlp.IsGated && !mlp.IsFused ? 2 : 1;
        // What a frozen matrix takes is not kept, but for its adapter.
        var taken = adapter is null ? half * shape.Width * (inAttention + inMlp) : OfAdapters(adapter, layers);
        // Norms side by side take the same.
        var norms = exact * shape.Width * (shape.NormCount - (shape is { IsParallel: true, NormCount: > 1 } ? 1 : 0));
        var ofAttention = half * (attention.Projected + attention.Queries) + exact * attention.Heads
            + (attention.HasNorms ? exact * (attention.Queries + attention.Keys) : 0)
            + (attention.HasNormsByHead ? exact * (attention.Queries + attention.Keys) : 0);
        var hasKernel = ActivationFunction.Named(mlp.Activation).Kernel is not null;
        var ofMlp = exact * mlp.Kept + (hasKernel || adapter is not null ? 0 : half * mlp.InnerWidth);
        var kept = norms + taken + ofAttention + ofMlp;
        var keptOfOthers = exact * shape.Width + half * (attention.IsFused ? attention.Projected : 2 * attention.Keys)
            + (adapter is null ? half * shape.Width * Math.Min(2, inAttention) : 0);

        var converted = model.FrozenWeights is null
            ? half * (shape.Matrices.Sum(matrix => matrix.Size) - (hasKernel ? shape.Matrices[^1].Size : 0))
            : 0;
        var largest = exact * shape.Matrices.Max(matrix => matrix.Size);
        var isLastShort = model.Backbone.IsCausal && trained > 0;
        var whole = trained - (isLastShort ? 1 : 0);
        // A weight's gradient and the sum that it is added to; of a stored weight its numbers.
        var passing = (whole > 0 ? batch.Tokens * (exact * shape.Passing + half * mlp.InnerWidth) : 0)
            + (adapter is null && trained > 0 ? 2 * largest : model.FrozenWeights is null ? 0 : largest);
        var forward = batch.Tokens * exact * shape.Computed + converted;
        var all = Math.Max(batch.Tokens * (whole * kept + (isLastShort ? keptOfOthers : 0)) + trained * converted + passing, forward);
        var checkpointed = batch.Tokens * (trained * exact * shape.Width + kept + kept / 4) + converted + passing;
        return checkpointing ? Math.Clamp(checkpointed, forward, all) : all;
    }

    /// <summary>Of a token and layer: what A takes and gives; with dropout also what is left of its input, and its mask.</summary>
    private static long OfAdapters(ModelAdapter adapter, int layers) => adapter.Layers.Sum(pair =>
        2 * pair.Layer.Inputs + sizeof(float) * pair.Layer.Adapter!.Rank
        + (adapter.Options.Dropout > 0 ? (sizeof(float) + 1) * pair.Layer.Inputs : 0)) / layers;
}
