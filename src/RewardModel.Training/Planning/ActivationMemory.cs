using RewardModel.Adapters;
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
        var shapes = model.Backbone.LayerShapes;
        if (shapes.Count == 0)
            return 0;
        LayerShape[] trained = [.. shapes.Skip(model.Backbone.FrozenLayerCount)];
        var adapter = model.ModelAdapter;
        var isLastShort = model.Backbone.IsCausal && trained.Length > 0;
        LayerShape[] whole = isLastShort ? trained[..^1] : trained;
        var mostKept = (trained.Length > 0 ? trained : shapes).Max(Kept);

        var converted = model.FrozenWeights is null ? trained.Select(Converted).DefaultIfEmpty().Max() : 0;
        var largest = exact * trained.SelectMany(shape => shape.Matrices).Select(matrix => matrix.Size).DefaultIfEmpty().Max();
        // A weight's gradient and the sum that it is added to; of a stored weight its numbers.
        var passing = batch.Tokens * whole.Select(shape => exact * shape.Passing + half * shape.Mlp.InnerWidth).DefaultIfEmpty().Max()
            + (adapter is null ? 2 * largest : model.FrozenWeights is null ? 0 : largest);
        var forward = shapes.Max(shape => batch.Tokens * exact * shape.Computed + (model.FrozenWeights is null ? Converted(shape) : 0));
        var ofTrained = model.FrozenWeights is null ? trained.Sum(Converted) : 0;
        var all = Math.Max(
            batch.Tokens * (whole.Sum(Kept) + (isLastShort ? KeptOfOthers(trained[^1]) : 0)) + ofTrained + passing, forward);
        var checkpointed = batch.Tokens * (exact * trained.Sum(shape => shape.Width) + mostKept + mostKept / 4) + converted + passing;
        return checkpointing ? Math.Clamp(checkpointed, forward, all) : all;

        long Kept(LayerShape shape)
        {
            var (attention, mlp) = (shape.Attention, shape.Mlp);
            // Of experts each that a token goes through has its own copies.
            var inMlp = (mlp.IsGated && !mlp.IsFused ? 2 : 1) * (mlp.Experts?.Chosen ?? 1);
            // What a frozen matrix takes is not kept, but for its adapter.
            var taken = adapter is null ? half * shape.Width * (InAttention(shape) + inMlp) : OfAdapters(adapter, shape, shapes.Count);
            // Norms side by side take the same.
            var norms = exact * shape.Width * (shape.NormCount - (shape is { IsParallel: true, NormCount: > 1 } ? 1 : 0));
            var ofAttention = half * (attention.Projected + attention.Queries) + exact * attention.Heads
                + (attention.HasNorms ? exact * (attention.Queries + attention.Keys) : 0)
                + (attention.HasNormsByHead ? exact * (attention.Queries + attention.Keys) : 0);
            var ofMlp = exact * mlp.Kept(shape.Width) + (HasKernel(shape) || adapter is not null ? 0 : half * mlp.InnerWidth);
            return norms + taken + ofAttention + ofMlp;
        }

        long KeptOfOthers(LayerShape shape) => exact * shape.Width
            + half * (shape.Attention.IsFused ? shape.Attention.Projected : 2 * shape.Attention.Keys)
            + (adapter is null ? half * shape.Width * Math.Min(2, InAttention(shape)) : 0);

        long Converted(LayerShape shape) =>
            half * (shape.Matrices.Sum(matrix => matrix.Size) - (HasKernel(shape) ? shape.Mlp.LastSize(shape.Width) : 0));

        static int InAttention(LayerShape shape) => shape.Attention.IsFused ? 1 : 3;

        static bool HasKernel(LayerShape shape) => ActivationFunction.Named(shape.Mlp.Activation).Kernel is not null;
    }

    /// <summary>Of a token and layer: what A takes and gives; with dropout also what is left of its input, and its mask.</summary>
    private static long OfAdapters(ModelAdapter adapter, LayerShape shape, int layers)
    {
        var own = adapter.Layers.ToLookup(
            pair => ModuleNames.IsInAttention(pair.Name),
            pair => 2 * pair.Layer.Inputs + sizeof(float) * pair.Layer.Adapter!.Rank
                + (adapter.Options.Dropout > 0 ? (sizeof(float) + 1) * pair.Layer.Inputs : 0));
        var (chosen, count) = shape.Mlp.Experts is { } experts ? (experts.Chosen, experts.Count) : (1L, 1L);
        return (own[true].Sum() + own[false].Sum() * chosen / count) / layers;
    }
}
