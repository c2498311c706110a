using RewardModel.Layers;

namespace RewardModel.Backbones;

/// <summary>What an architecture's settings say of its size, before anything is made of them.</summary>
internal interface IBackboneConfig
{
    /// <summary>Count of layers.</summary>
    int LayerCount { get; }

    /// <summary>Numbers of the embeddings of tokens and positions.</summary>
    long EmbeddingSize { get; }

    /// <summary>What each layer is made of; where they differ, most of them.</summary>
    LayerShape LayerShape { get; }

    /// <summary>What a layer is made of, by its number from 0.</summary>
    LayerShape LayerShapeOf(int layer) => LayerShape;
}
