using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Tokenizers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Scoring;

/// <summary>Counts of parameters.</summary>
/// <param name="Embedding">Matrices outside the layers: of tokens, of positions.</param>
/// <param name="Layers">The layers, and the norms outside them.</param>
/// <param name="Head">The reward head.</param>
public sealed record ParameterCounts(long Embedding, long Layers, long Head)
{
    /// <summary>All together.</summary>
    public long Total => Embedding + Layers + Head;
}

/// <summary>The contents of a model directory, determined without reading the weights. What could not be determined is null.</summary>
public sealed record ModelInspection
{
    /// <summary>The directory.</summary>
    public required string Directory { get; init; }

    /// <summary><c>model_type</c> of config.json.</summary>
    public string? Architecture { get; init; }

    /// <summary>The class that transformers loads it into as a reward model.</summary>
    public string? ModelClass { get; init; }

    /// <summary>Parameters of the reward model that training would start from.</summary>
    public ParameterCounts? Parameters { get; init; }

    /// <summary>The adapter, where the directory is one's; the other properties are of it and its base model together.</summary>
    public LoraOptions? Adapter { get; init; }

    /// <summary>The layers that the adapter changes; null without one.</summary>
    public IReadOnlyList<string>? AdaptedLayers { get; init; }

    /// <summary>The directory of the adapter's base model; null without one.</summary>
    public string? BaseDirectory { get; init; }

    /// <summary>Parameters that training the adapter further would train, its head among them; null without an adapter.</summary>
    public long? TrainedParameters { get; init; }

    /// <summary>Rows of the token embedding.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Maximum length of prompt and answer together, in tokens.</summary>
    public int? MaxPositions { get; init; }

    /// <summary>The types of the weights in the files, as safetensors names them.</summary>
    public IReadOnlyList<string>? WeightTypes { get; init; }

    /// <summary>Bytes of the weights in the files.</summary>
    public long? WeightBytes { get; init; }

    /// <summary>The tensor that holds the reward head's weight; null for a language model, which has none.</summary>
    public string? HeadTensor { get; init; }

    /// <summary>The outputs of which a reward is a sum; null where it is one output as it is.</summary>
    public RewardOutputs? Outputs { get; init; }

    /// <summary>Parameters that training would initialise.</summary>
    public IReadOnlyList<string>? DrawnParameters { get; init; }

    /// <summary>The tokenizer's model: BPE, Unigram, WordLevel or WordPiece; null where there is no tokenizer.</summary>
    public string? TokenizerKind { get; init; }

    /// <summary>One more than the tokenizer's highest id.</summary>
    public int? TokenizerVocabularySize { get; init; }

    /// <summary>The rule by which answers would be scored; null for a model without a reward head.</summary>
    public ScoringRule? Rule { get; init; }

    /// <summary>
    /// What a reward model reads where the prompt is PROMPT and the answer ANSWER, special tokens and chat template included; null without
    /// a tokenizer.
    /// </summary>
    public string? Example { get; init; }

    /// <summary>The size of list that <see cref="Memory"/> is for.</summary>
    public ListSize? List { get; init; }

    /// <summary>Estimated training memory.</summary>
    public TrainingMemory? Memory { get; init; }

    /// <summary>Why the directory can't be used; empty where it can.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>
    /// Inspects a directory. Headers are read, not weights; of a head that has a bias only that one number, which is part of the rule.
    /// </summary>
    /// <param name="directory">Of a language model, a reward model or an adapter.</param>
    /// <param name="promptTokens">Tokens of the prompt to estimate memory for; null: 256, or half of what the model takes.</param>
    /// <param name="answerTokens">Tokens of each answer; null: the same.</param>
    /// <param name="answers">Count of answers.</param>
    /// <param name="optimizer">The optimiser to estimate memory for.</param>
    /// <param name="unfrozenLayers">Layers, counted from the last, that would be trained; null: everything.</param>
    /// <param name="frozenWeights">How the weights would be stored that are not.</param>
    /// <param name="baseDirectory">Directory of an adapter's base model; null: where the adapter says.</param>
    /// <exception cref="ArgumentException">
    /// The list does not fit the model, or it has fewer layers, or nothing is frozen whose storage could be other than float32.
    /// </exception>
    public static ModelInspection Of(
        string directory, int? promptTokens = null, int? answerTokens = null, int answers = 4, OptimizerKind optimizer = OptimizerKind.AdamW,
        int? unfrozenLayers = null, WeightStorage frozenWeights = WeightStorage.Float32, string? baseDirectory = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        if (frozenWeights != WeightStorage.Float32 && unfrozenLayers is null)
            throw new ArgumentOutOfRangeException(
                nameof(frozenWeights), frozenWeights, "expected Float32 without unfrozen layers, because nothing is frozen");
        TorchLibraries.Require();
        using var scope = NewDisposeScope();
        var problems = new List<string>();
        var place = Try(() => Place.Of(directory, baseDirectory), problems);
        var config = place is null ? null : Try(
            () => RewardTransformer.ConfigOf(place.Weights, place.Adapter is null ? null : directory), problems);
        var weightProblems = new List<string>();
        using var reader = place is null ? null : Try(() => CheckpointReader.Open(place.Weights, place.Adapter is not null), weightProblems);
        using var model = config is null ? null : Try(() => RewardTransformer.WithoutWeights(config, place!.Weights, reader), problems);
        problems.AddRange(weightProblems);
        var weights = model is null || reader is null ? null : Try(() => WeightLoading.Match(reader, place!.Weights, model), problems);
        var counts = model is null ? null : Count(model);
        using var adapterReader = place?.Adapter is null ? null : Try(() => CheckpointReader.OpenAdapter(directory), problems);
        var adapter = adapterReader is null || weights is null
            ? null
            : Try(() => AdapterLoading.Match(adapterReader, place!.Adapter!, directory, model!), problems);
        var tokenizer = new[] { directory, place?.Weights }.FirstOrDefault(path => path is not null && HuggingFaceTokenizer.IsIn(path)) is { } files
            ? Try(() => HuggingFaceTokenizer.Load(files), problems)
            : null;
        var headTensor = adapter?.HeadWeight ?? weights?.HeadWeight;
        var scoring = weights is null || (adapterReader is not null && adapter is null)
            ? null
            : Try(
                () => ScoringModel.FromParts(
                    directory, model!, adapter?.HeadWeight is null ? weights.ReadNormalizer() : adapter.ReadNormalizer(), tokenizer),
                problems);

        var list = model is null ? null : SizeOf(model, promptTokens, answerTokens, answers);
        model?.FreezeAs(unfrozenLayers, frozenWeights);
        var entries = reader?.Names.Select(reader.Entry).ToArray();
        return new ModelInspection
        {
            Directory = directory,
            Architecture = config?.Json["model_type"] is { } type ? Quoted.Json(type).Trim('"') : null,
            ModelClass = model?.Backbone.SequenceClassificationClass,
            Parameters = counts,
            Adapter = model?.Adapter,
            AdaptedLayers = model?.ModelAdapter is { } attached ? [.. attached.Layers.Select(layer => layer.Name)] : null,
            BaseDirectory = place?.Adapter is null ? null : place.Weights,
            TrainedParameters = model?.Adapter is null ? null : Numbers(model.TrainedParameters.Select(pair => pair.Parameter)),
            VocabularySize = model?.Backbone.VocabularySize,
            MaxPositions = model?.Backbone.MaxPositions,
            WeightTypes = entries is null
                ? null
                : [.. entries.Select(entry => entry.Type.ToString()).Distinct().Order(StringComparer.Ordinal)],
            WeightBytes = entries?.Sum(entry => entry.Length),
            HeadTensor = headTensor,
            Outputs = model?.Outputs is { AreSingle: false } outputs ? outputs : null,
            DrawnParameters = weights?.Absent.Where(name => adapter?.HeadNames.Contains(name) != true).ToArray(),
            TokenizerKind = tokenizer?.ModelType,
            TokenizerVocabularySize = tokenizer?.VocabularySize,
            Rule = headTensor is null ? null : scoring?.Rule,
            Example = headTensor is null || scoring is null ? null : Try(scoring.Example, problems),
            List = list,
            Memory = list is null ? null : TrainingMemory.Estimate(model!, list, optimizer),
            Problems = [.. problems.Distinct()],
        };
    }

    private static T? Try<T>(Func<T?> read, List<string> problems) where T : class
    {
        try
        {
            return read();
        }
        catch (CheckpointException e)
        {
            problems.AddRange(e.Problems);
        }
        catch (TokenizerException e)
        {
            problems.AddRange(e.Problems);
        }
        // Parts that don't go together.
        catch (ArgumentException e)
        {
            problems.Add(e.Message.TrimEnd('.'));
        }
        return null;
    }

    private static ListSize SizeOf(RewardTransformer model, int? promptTokens, int? answerTokens, int answers)
    {
        var half = Math.Min(256, model.Backbone.MaxPositions / 2);
        return new ListSize(promptTokens ?? half, answerTokens ?? half, answers);
    }

    private static ParameterCounts Count(RewardTransformer model)
    {
        var backbone = model.Backbone;
        var embedding = Matrices(backbone) - backbone.Layers.Sum(Matrices);
        return new ParameterCounts(embedding, Numbers(backbone.parameters()) - embedding, Numbers(model.Head.parameters()));

        static long Matrices(nn.Module module) => Numbers(module.parameters().Where(parameter => parameter.dim() == 2));
    }

    private static long Numbers(IEnumerable<Parameter> parameters) => parameters.Sum(parameter => parameter.numel());

    /// <summary>An adapter's config, if there is one, and the directory of the weights.</summary>
    private sealed record Place(AdapterConfig? Adapter, string Weights)
    {
        public static Place Of(string directory, string? baseDirectory)
        {
            var adapter = RewardTransformer.AdapterOf(directory, ref baseDirectory);
            return new Place(adapter, baseDirectory);
        }
    }
}
