using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Packing;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

/// <summary>A transformer without its vocabulary head: packed sequences in, one hidden state per token out, [T, D] float32.</summary>
/// <remarks>
/// Fields carry the checkpoint's names, so that a parameter's name here, behind <see cref="BaseModelPrefix"/>, is its name in the file.
/// </remarks>
internal abstract class Backbone(string name) : nn.Module<PackedSequences, Tensor>(name)
{
    private static readonly SortedDictionary<string, Func<ConfigReader, string, BackboneDescription>> architectures = new(StringComparer.Ordinal)
    {
        ["bert"] = Of(BertConfig.Read, (config, dropout) => new Bert(config, dropout)),
        ["bloom"] = Of(BloomConfig.Read, (config, dropout) => new Bloom(config, dropout)),
        ["deberta-v2"] = Of(DebertaV2Config.Read, (config, dropout) => new DebertaV2(config, dropout)),
        ["electra"] = Of(ElectraConfig.Read, (config, dropout) => new Electra(config, dropout)),
        ["ernie"] = Of(ErnieConfig.Read, (config, dropout) => new Ernie(config, dropout)),
        ["falcon"] = Of(FalconConfig.Read, (config, dropout) => new Falcon(config, dropout)),
        ["gemma2"] = Of(Gemma2Config.Read, (config, dropout) => new Gemma2(config, dropout)),
        ["gemma3_text"] = Of(Gemma3TextConfig.Read, (config, dropout) => new Gemma3Text(config, dropout)),
        ["glm"] = Of(GlmConfig.Read, (config, dropout) => new Glm(config, dropout)),
        ["glm4"] = Of(Glm4Config.Read, (config, dropout) => new Glm4(config, dropout)),
        ["gpt2"] = Of(Gpt2Config.Read, (config, dropout) => new Gpt2(config, dropout)),
        ["gpt_neox"] = Of(GptNeoXConfig.Read, (config, dropout) => new GptNeoX(config, dropout)),
        ["gptj"] = Of(GptJConfig.Read, (config, dropout) => new GptJ(config, dropout)),
        ["gpt_oss"] = Of(GptOssConfig.Read, (config, dropout) => new GptOss(config, dropout)),
        ["llama"] = Of(LlamaConfig.Read, (config, dropout) => new Llama(config, dropout)),
        ["mistral"] = Of(MistralConfig.Read, (config, dropout) => new Mistral(config, dropout)),
        ["mixtral"] = Of(MixtralConfig.Read, (config, dropout) => new Mixtral(config, dropout)),
        ["modernbert"] = Of(ModernBertConfig.Read, (config, dropout) => new ModernBert(config, dropout)),
        ["nemotron"] = Of(NemotronConfig.Read, (config, dropout) => new Nemotron(config, dropout)),
        ["olmo2"] = Of(Olmo2Config.Read, (config, dropout) => new Olmo2(config, dropout)),
        ["olmo3"] = Of(Olmo3Config.Read, (config, dropout) => new Olmo3(config, dropout)),
        ["opt"] = Of(OptConfig.Read, (config, dropout) => new Opt(config, dropout)),
        ["phi"] = Of(PhiConfig.Read, (config, dropout) => new Phi(config, dropout)),
        ["phi3"] = Of(Phi3Config.Read, (config, dropout) => new Phi3(config, dropout)),
        ["qwen2"] = Of(Qwen2Config.Read, (config, dropout) => new Qwen2(config, dropout)),
        ["qwen2_moe"] = Of(Qwen2MoeConfig.Read, (config, dropout) => new Qwen2Moe(config, dropout)),
        ["qwen3"] = Of(Qwen3Config.Read, (config, dropout) => new Qwen3(config, dropout)),
        ["qwen3_moe"] = Of(Qwen3MoeConfig.Read, (config, dropout) => new Qwen3Moe(config, dropout)),
        ["roberta"] = Of(RobertaConfig.Read, (config, dropout) => new Roberta(config, dropout)),
        ["smollm3"] = Of(SmolLm3Config.Read, (config, dropout) => new SmolLm3(config, dropout)),
        ["stablelm"] = Of(StableLmConfig.Read, (config, dropout) => new StableLm(config, dropout)),
        ["starcoder2"] = Of(Starcoder2Config.Read, (config, dropout) => new Starcoder2(config, dropout)),
        ["xlm-roberta"] = Of(RobertaConfig.Read, (config, dropout) => new XlmRoberta(config, dropout)),
    };

    // What to do with published reward models of other types.
    private static readonly Dictionary<string, string> waysToOthers = new()
    {
        ["internlm2"] = "InternLM keeps queries, keys and values in one tensor, wqkv, under names of its own. tools/convert2llama.py of its "
            + "repository writes the checkpoint as a Llama; the v_head of InternLM2-Reward is read then.",
        ["gpt_neox_reward_model"] = "OpenAssistant's reward models of GPT-NeoX are read where config.json has \"model_type\": \"gpt_neox\".",
    };

    /// <summary>Size D of a hidden state.</summary>
    public abstract int HiddenSize { get; }

    /// <summary>The layers, from the first to the last.</summary>
    internal abstract IReadOnlyList<nn.Module> Layers { get; }

    /// <summary>What each of the layers is made of; where they differ, most of them.</summary>
    internal abstract LayerShape LayerShape { get; }

    /// <summary>What a layer is made of, by its number from 0.</summary>
    internal virtual LayerShape LayerShapeOf(int layer) => LayerShape;

    /// <summary>What the layers are made of, from the first to the last.</summary>
    internal IReadOnlyList<LayerShape> LayerShapes => [.. Enumerable.Range(0, Layers.Count).Select(LayerShapeOf)];

    /// <summary>
    /// Layers, from the first, that no gradient goes through, because nothing in them or before them is trained: they keep nothing for the
    /// backward pass.
    /// </summary>
    internal int FrozenLayerCount => BeforeLayers.Any(parameter => parameter.requires_grad)
        ? 0
        : Layers.TakeWhile(layer => layer.parameters().All(parameter => !parameter.requires_grad)).Count();

    /// <summary>The parameters of what comes before the first layer: they are in the order of the forward pass.</summary>
    internal IEnumerable<Parameter> BeforeLayers
    {
        get
        {
            var firstOfLayers = Layers.Count == 0 ? 0 : Layers[0].parameters().First().Handle;
            return parameters().TakeWhile(parameter => parameter.Handle != firstOfLayers);
        }
    }

    /// <summary>Rows of the token embedding.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>
    /// Whether a token sees only those before it, so that answers can share their prompt. Encoders see both ways, and read every answer
    /// with its own copy of the prompt.
    /// </summary>
    public virtual bool IsCausal => true;

    /// <summary>Most tokens of a sequence, prompt and answer together.</summary>
    public abstract int MaxPositions { get; }

    /// <summary>What stands before a parameter's name in checkpoints that hold a head as well: <c>model</c>, <c>transformer</c>.</summary>
    public abstract string BaseModelPrefix { get; }

    /// <summary>The class that transformers loads a reward model of this architecture into.</summary>
    public abstract string SequenceClassificationClass { get; }

    /// <summary>Standard deviation with which a new model's matrices are drawn: <c>initializer_range</c>.</summary>
    public abstract double InitializerRange { get; }

    /// <summary>Hidden states of all tokens, [T, D] float32, after the last norm.</summary>
    /// <exception cref="ArgumentException">
    /// A sequence is longer than <see cref="MaxPositions"/>, a token id is not in the vocabulary, or answers share a prompt that an encoder
    /// has to read with each.
    /// </exception>
    public sealed override Tensor forward(PackedSequences sequences)
    {
        using var pass = new ForwardPass(sequences);
        using var draws = pass.Draws(layer: 0);
        return AllStates(pass);
    }

    /// <summary>
    /// What the head reads of each scored sequence, [N, D]: the hidden state of its last token, where the architecture is causal. The same
    /// as <see cref="forward"/> gives in <see cref="PackedSequences.ScoredRows"/>, but the last layer computes nothing else, unless sequences end
    /// within others. Encoders give the hidden state of the first token, unless they say otherwise.
    /// </summary>
    /// <param name="pass">What to compute.</param>
    /// <inheritdoc cref="forward"/>
    public virtual Tensor SequenceStates(ForwardPass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        if (!IsCausal)
            return AllStates(pass).index_select(0, pass.Sequences.FirstRows);
        // What is read within a segment is one of several of its rows, and the last layer computes all or the last.
        if (pass.Sequences.EndsWithin)
            return AllStates(pass).index_select(0, pass.Sequences.ScoredRows);
        Enter(pass);
        return HiddenStates(pass, new QueryRows(pass.Sequences, AreScored: true));
    }

    /// <summary>The hidden states of all tokens of the scored segments, one segment after the other, [A, D]; of causal architectures only.</summary>
    /// <inheritdoc cref="SequenceStates"/>
    internal Tensor AnswerStates(ForwardPass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        var sequences = pass.Sequences;
        long[] rows =
        [
            .. sequences.ScoredSegments.Zip(sequences.ScoredLengths)
                .SelectMany(scored => Enumerable.Range(sequences.Segments[scored.First].Start, scored.Second)).Select(row => (long)row),
        ];
        return AllStates(pass).index_select(0, DeviceTensor.Of(rows, sequences.Device));
    }

    /// <summary>Hidden states of all tokens.</summary>
    private protected Tensor AllStates(ForwardPass pass)
    {
        Enter(pass);
        return HiddenStates(pass, pass.Sequences.AllRows);
    }

    /// <summary>Hidden states of the rows that the last layer is asked for.</summary>
    private protected abstract Tensor HiddenStates(ForwardPass pass, QueryRows lastRows);

    /// <summary>Re-initialises all weights, as the architecture's reference implementation does, from torch's default generator.</summary>
    public abstract void InitializeWeights();

    /// <summary>The head of this architecture's sequence classification, its weights not yet set.</summary>
    /// <param name="outputs">How many numbers its last layer gives.</param>
    internal virtual RewardHead CreateHead(int outputs) => new LinearHead(HiddenSize, outputs);

    /// <summary>True for tensors of a checkpoint that this architecture has no use for: buffers that older versions saved.</summary>
    /// <param name="parameterName">The tensor's name without <see cref="BaseModelPrefix"/>.</param>
    internal virtual bool Ignores(string parameterName) => false;

    /// <summary>The backbone that a config.json describes.</summary>
    /// <exception cref="CheckpointException">
    /// The architecture is unknown, or settings are missing, wrong or unknown: all are listed.
    /// </exception>
    internal static BackboneDescription Describe(HuggingFaceConfig config)
    {
        Quantization.Check(config);
        var found = config.Json["model_type"];
        var modelType = found is null ? "missing" : found.GetValueKind() == JsonValueKind.String ? found.GetValue<string>() : null;
        return modelType is not null && architectures.TryGetValue(modelType, out var read)
            ? read(config.Reader(), config.FilePath)
            : throw new CheckpointException(
                config.FilePath,
                [$"the model_type is {(modelType is null ? Quoted.Json(found) : Quoted.Cut(modelType))}; expected one of: {string.Join(", ", ModelTypes)}"],
                modelType is not null && waysToOthers.TryGetValue(modelType, out var way)
                    ? way : "Convert the model to one of these architectures, or use another one.");
    }

    private static Func<ConfigReader, string, BackboneDescription> Of<TConfig>(
        Func<ConfigReader, TConfig> read, Func<TConfig, double, Backbone> create)
        where TConfig : IBackboneConfig => (reader, path) =>
        {
            var config = read(reader);
            return new BackboneDescription(path, config, dropout => create(config, dropout));
        };

    /// <summary>The values of <c>model_type</c> that can be read.</summary>
    public static IReadOnlyList<string> ModelTypes => [.. architectures.Keys];

    private void Enter(ForwardPass pass)
    {
        CheckInput(pass.Sequences);
        // Only then it makes a difference; otherwise autograd finds out by itself.
        if (pass.Recomputes)
            pass.FrozenLayerCount = FrozenLayerCount;
    }

    /// <summary>Checks what every architecture needs of its input.</summary>
    private void CheckInput(PackedSequences sequences)
    {
        if (!IsCausal && sequences.SharesPrompts)
            throw new ArgumentException(
                $"The answers share their prompt; this {GetName()} reads in both directions, so every answer needs its own copy of it. "
                + "Pack with sharePrompts: false.",
                nameof(sequences));
        if (sequences.LongestSequence > MaxPositions)
            throw new ArgumentException(
                $"A sequence has {sequences.LongestSequence} tokens; this {GetName()} takes at most {MaxPositions}. "
                + "Truncate the lists to that length.",
                nameof(sequences));
        if (sequences.HighestTokenId >= VocabularySize)
            throw new ArgumentException(
                $"A token id is {sequences.HighestTokenId}; the vocabulary of this {GetName()} has {VocabularySize} ids, from 0. "
                + "Use the tokenizer that belongs to the model.",
                nameof(sequences));
    }

    /// <summary>Checks what architectures with a table of token types need besides.</summary>
    protected void CheckTokenTypes(PackedSequences sequences, int typeCount)
    {
        if (sequences.HighestTokenType >= typeCount)
            throw new ArgumentException(
                $"A token type is {sequences.HighestTokenType}; this {GetName()} has {typeCount}, from 0. "
                + "Use the tokenizer that belongs to the model.",
                nameof(sequences));
    }
}
