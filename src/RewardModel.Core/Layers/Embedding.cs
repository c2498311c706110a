using RewardModel.Kernels;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A table of vectors, [rows, D], looked up by id.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    public readonly Parameter weight;

    public Embedding(long rows, long size) : base(nameof(Embedding))
    {
        weight = new Parameter(empty(rows, size));
        RegisterComponents();
    }

    /// <param name="ids_T">[T], int64.</param>
    /// <returns>[T, D].</returns>
    public override Tensor forward(Tensor ids_T) => EmbeddingKernel.CanTake(weight)
        ? EmbeddingKernel.Apply(default, weight.view(weight.shape), ids_T)
        : weight.index_select(0, ids_T);
}
