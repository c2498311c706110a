using RewardModel.Kernels;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A table of vectors, [rows, D], looked up by id.</summary>
internal sealed class Embedding : WeightLayer
{
    public readonly Parameter weight;

    public Embedding(long rows, long size) : base(nameof(Embedding))
    {
        weight = new Parameter(empty(rows, size));
        RegisterComponents();
    }

    internal override Parameter Weight => weight;

    /// <summary>The whole table, float32.</summary>
    public Tensor Table => Stored?.Values() ?? weight;

    // As bitsandbytes leaves embeddings: a token's vector is that of a checkpoint in bfloat16.
    internal override WeightStorage StorageFor(WeightStorage asked) => asked == WeightStorage.Float32 ? asked : WeightStorage.Bfloat16;

    /// <param name="ids_T">[T], int64.</param>
    /// <returns>[T, D].</returns>
    public override Tensor forward(Tensor ids_T) => Stored is not null
        ? Stored.Rows(ids_T)
        : EmbeddingKernel.CanTake(weight)
        ? EmbeddingKernel.Apply(default, weight.view(weight.shape), ids_T)
        : weight.index_select(0, ids_T);
}
