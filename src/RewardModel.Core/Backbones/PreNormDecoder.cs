using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using RotaryBlocks = TorchSharp.Modules.ModuleList<RewardModel.Layers.RotaryBlock>;

namespace RewardModel.Backbones;

// T tokens, D width.

/// <summary>The settings that all architectures with the body of <see cref="PreNormDecoder"/> have.</summary>
internal abstract record PreNormConfig : IBackboneConfig
{
    public required int VocabularySize { get; init; }

    public required int Width { get; init; }

    public required int InnerWidth { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int KeyHeadCount { get; init; }

    public required int HeadSize { get; init; }

    public required string Activation { get; init; }

    public required double NormEpsilon { get; init; }

    public required double InitializerRange { get; init; }

    public required RotarySettings Rotary { get; init; }

    public long EmbeddingSize => (long)VocabularySize * Width;

    public abstract LayerShape LayerShape { get; }

    public virtual LayerShape LayerShapeOf(int layer) => LayerShape;
}

/// <summary>
/// The body that Llama has, and others that differ from it in what their layers and the last norm are: embeddings, layers, a norm, and
/// rotary angles that are the same for all layers.
/// </summary>
internal abstract class PreNormDecoder : Backbone
{
    private readonly Embedding embed_tokens;
    private readonly RotaryBlocks layers;
    private readonly nn.Module<Tensor, Tensor> norm;
    private readonly RotaryEmbedding rotary;
    private readonly PreNormConfig config;

    /// <param name="name">The architecture's name in messages.</param>
    /// <param name="config">Its settings.</param>
    /// <param name="createLayer">Makes a layer by its number, from 0.</param>
    /// <param name="lastNorm">The norm behind the last layer; an RMS norm if not given.</param>
    protected PreNormDecoder(
        string name, PreNormConfig config, Func<int, RotaryBlock> createLayer, nn.Module<Tensor, Tensor>? lastNorm = null) : base(name)
    {
        this.config = config;
        embed_tokens = new Embedding(config.VocabularySize, config.Width);
        layers = nn.ModuleList([.. Enumerable.Range(0, config.LayerCount).Select(createLayer)]);
        norm = lastNorm ?? new RmsNorm(config.Width, config.NormEpsilon);
        rotary = new RotaryEmbedding(config.Rotary);
        RegisterComponents();
    }

    public sealed override int HiddenSize => config.Width;

    internal sealed override IReadOnlyList<nn.Module> Layers => [.. layers];

    public sealed override int VocabularySize => config.VocabularySize;

    public sealed override int MaxPositions => config.Rotary.MaxPositions;

    public sealed override string BaseModelPrefix => "model";

    internal sealed override LayerShape LayerShape => config.LayerShape;

    internal sealed override LayerShape LayerShapeOf(int layer) => config.LayerShapeOf(layer);

    public sealed override double InitializerRange => config.InitializerRange;

    private protected sealed override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        var angles = pass.AnglesOf(rotary);
        var x_TD = Embedded(embed_tokens.call(pass.Sequences.TokenIds));
        x_TD = pass.Through(layers, x_TD, lastRows, (layer, x_TD, rows) => layer.forward(x_TD, rows, angles));
        return norm.call(x_TD);
    }

    /// <summary>What the first layer takes of the embeddings [T, D]: they themselves, unless an architecture says otherwise.</summary>
    private protected virtual Tensor Embedded(Tensor x_TD) => x_TD;

    public override void InitializeWeights() => Initialization.Apply(this, config.InitializerRange);

    // Rotary frequencies, which old versions of transformers saved as buffers.
    internal sealed override bool Ignores(string parameterName) =>
        parameterName.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal);
}
