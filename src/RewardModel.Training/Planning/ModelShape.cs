using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Training.Planning;

/// <summary>The sizes of a model that memory, arithmetic and communication follow from.</summary>
internal sealed record ModelShape
{
    /// <summary>Everything outside the layers: embeddings, the last norm, the head.</summary>
    public required GroupShape Root { get; init; }

    /// <summary>The layers, from the first to the last.</summary>
    public required IReadOnlyList<GroupShape> Layers { get; init; }

    /// <summary>What each of them is made of.</summary>
    public required IReadOnlyList<LayerShape> LayerShapes { get; init; }

    /// <summary>Layers, from the first, that no gradient goes through.</summary>
    public required int FrozenLayerCount { get; init; }

    /// <summary>Whether answers share their prompt, and of the last layer only keys and values are computed for all tokens.</summary>
    public required bool IsCausal { get; init; }

    /// <summary>Most tokens of prompt and answer together.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>All groups together.</summary>
    public GroupShape All => Layers.Aggregate(Root, (sum, layer) => sum + layer);

    /// <summary>The shape of a model, whether its weights are loaded or not.</summary>
    /// <param name="model">The model; what of it is trained is what requires gradients.</param>
    /// <param name="optimizer">The optimiser.</param>
    public static ModelShape Of(RewardTransformer model, OptimizerKind optimizer = OptimizerKind.AdamW)
    {
        var stored = model.LayersToStore();
        var layers = model.Backbone.Layers.Select(Group).ToArray();
        return new ModelShape
        {
            Root = layers.Aggregate(Group(model), (rest, layer) => rest - layer),
            Layers = layers,
            LayerShapes = model.Backbone.LayerShapes,
            FrozenLayerCount = model.Backbone.FrozenLayerCount,
            IsCausal = model.Backbone.IsCausal,
            MaxPositions = model.MaxPositions,
        };

        GroupShape Group(nn.Module module)
        {
            var group = default(GroupShape);
            foreach (var parameter in module.parameters())
            {
                var count = parameter.numel();
                var storage = stored.TryGetValue(parameter.Handle, out var found) ? found.Storage : WeightStorage.Float32;
                group += new GroupShape(
                    count, StoredMatrix.BytesOf(count, storage), parameter.requires_grad ? count : 0,
                    parameter.requires_grad ? OptimizerMemory.BytesOf(optimizer, parameter.shape) : 0);
            }
            return group;
        }
    }
}
