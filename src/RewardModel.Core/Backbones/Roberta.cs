using RewardModel.Checkpoints;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Backbones;

// RoBERTa (Liu et al., arXiv 1907.11692): BERT with other positions and another head. Positions begin behind the row of the padding id
// in their table, and a token that has this id gets that row and is not counted. Differences from Llama are those of BERT.
//
// T tokens, D width, N rewards.

internal sealed record RobertaConfig : IBackboneConfig
{
    public required BertConfig Bert { get; init; }

    public required int PaddingId { get; init; }

    public int LayerCount => Bert.LayerCount;

    public long EmbeddingSize => Bert.EmbeddingSize;

    public LayerShape LayerShape => Bert.LayerShape;

    public static RobertaConfig Read(ConfigReader reader)
    {
        // Required, as positions depend on it.
        var paddingId = reader.Int("pad_token_id");
        var bert = BertConfig.ReadSettings(reader);
        if (paddingId < 0)
            reader.Problem($"pad_token_id is {paddingId}; expected a number from 0, as positions are counted from it");
        else if (paddingId >= bert.VocabularySize || paddingId >= bert.Positions - 1)
            reader.Problem(
                $"pad_token_id is {paddingId}; expected an id below vocab_size, {bert.VocabularySize}, and by 2 or more below "
                + $"max_position_embeddings, {bert.Positions}, as positions are counted from it");
        reader.Finish();
        return new RobertaConfig { PaddingId = paddingId, Bert = bert };
    }
}

/// <summary>RoBERTa, as <c>RobertaForSequenceClassification</c> has it under its head.</summary>
internal class Roberta : Backbone
{
    private readonly BertEmbeddings embeddings;
    private readonly BertEncoder encoder;
    private readonly RobertaConfig config;
    private readonly double dropout;

    /// <param name="config">Its settings.</param>
    /// <param name="dropout">Rate for every dropout it has.</param>
    /// <param name="name">The architecture's name in messages.</param>
    public Roberta(RobertaConfig config, double dropout, string name = "RoBERTa") : base(name)
    {
        this.config = config;
        this.dropout = dropout;
        embeddings = new BertEmbeddings(config.Bert, dropout);
        encoder = new BertEncoder(config.Bert, dropout);
        RegisterComponents();
    }

    public override int HiddenSize => config.Bert.Width;

    internal override IReadOnlyList<nn.Module> Layers => encoder.Layers;

    internal override LayerShape LayerShape => config.Bert.LayerShape;

    public override int VocabularySize => config.Bert.VocabularySize;

    public override bool IsCausal => false;

    public override int MaxPositions => config.Bert.Positions - config.PaddingId - 1;

    public override string BaseModelPrefix => "roberta";

    public override string SequenceClassificationClass => "RobertaForSequenceClassification";

    public override double InitializerRange => config.Bert.InitializerRange;

    private protected override Tensor HiddenStates(ForwardPass pass, QueryRows lastRows)
    {
        CheckTokenTypes(pass.Sequences, config.Bert.TokenTypeCount);
        return encoder.forward(embeddings.forward(pass.Sequences, Positions_T(pass.Sequences)), pass, lastRows);
    }

    public override void InitializeWeights() => Initialization.Apply(this, config.Bert.InitializerRange);

    internal override RewardHead CreateHead(int outputs) => new RobertaHead(config.Bert.Width, outputs, dropout);

    // Row numbers, which old versions of transformers saved as a buffer, and BERT's pooler, which this head does without.
    internal override bool Ignores(string parameterName) =>
        parameterName == "embeddings.position_ids" || parameterName.StartsWith("pooler.dense.", StringComparison.Ordinal);

    // The count of tokens of the sequence up to this one whose id is not the padding id: that of the row, less what was before the
    // sequence.
    private Tensor Positions_T(PackedSequences sequences)
    {
        var counts_T = (sequences.TokenIds != config.PaddingId).to(ScalarType.Int64);
        var countBefore_T = counts_T.cumsum(0).sub(counts_T);
        var row_T = arange(sequences.TokenCount, dtype: ScalarType.Int64, device: sequences.Device);
        var firstRow_T = row_T.sub(sequences.PositionIds);
        return countBefore_T.sub(countBefore_T.index_select(0, firstRow_T)).add(1).mul(counts_T).add(config.PaddingId);
    }
}

/// <summary>Two linear layers on the first token, tanh between them.</summary>
internal sealed class RobertaHead : RewardHead
{
    private readonly RobertaClassifier classifier;

    public RobertaHead(int width, int outputs, double dropout) : base(nameof(RobertaHead))
    {
        classifier = new RobertaClassifier(width, outputs, dropout);
        RegisterComponents();
    }

    public override string OutputWeight => "classifier.out_proj.weight";

    public override Tensor Outputs(Tensor first_ND) => classifier.call(first_ND.to(float32));

    private sealed class RobertaClassifier : nn.Module<Tensor, Tensor>
    {
        private readonly Linear dense;
        private readonly Linear out_proj;
        private readonly double dropout;

        public RobertaClassifier(int width, int outputs, double dropout) : base(nameof(RobertaClassifier))
        {
            this.dropout = dropout;
            dense = new Linear(width, width, hasBias: true);
            out_proj = new Linear(width, outputs, hasBias: true);
            RegisterComponents();
        }

        public override Tensor forward(Tensor first_ND)
        {
            var x_ND = dense.call(Dropout.Apply(first_ND, dropout, training)).tanh();
            return out_proj.call(Dropout.Apply(x_ND, dropout, training));
        }
    }
}
