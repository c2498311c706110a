using RewardModel.Adapters;
using RewardModel.Checkpoints;
using RewardModel.Files;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// Which tensors of an adapter in PEFT's format become which parameters of a model: found out from its config, names, types and shapes
/// alone.
/// </summary>
/// <remarks>
/// Files have A and B of every layer, and in full what was trained beside them: a head, embeddings, biases. Names are those of the model
/// that the adapter was made for, behind <see cref="ModelAdapter.PeftPrefix"/>: with or without the name of its base model in front. What
/// belongs to a vocabulary head is left out, as it is of checkpoints. A head is trained in full here, so adapters of it are added to its
/// weights.
/// </remarks>
internal sealed class AdapterLoading
{
    private const string endOfA = ".lora_A.weight", endOfB = ".lora_B.weight";

    private readonly CheckpointReader reader;
    private readonly AdapterConfig config;
    private readonly RewardTransformer model;
    private readonly Dictionary<string, string> sources = new(StringComparer.Ordinal);
    private readonly List<(Parameter Parameter, string Source)> copied = [];
    private readonly List<(Parameter Weight, string A, string B, double Scale)> merged = [];
    private readonly ProblemList problems = new();
    private readonly bool isBare;

    private AdapterLoading(CheckpointReader reader, AdapterConfig config, RewardTransformer model)
    {
        (this.reader, this.config, this.model) = (reader, config, model);
        var prefix = model.Backbone.BaseModelPrefix + ".";
        // What PEFT wraps around a module has a name of its own there; older versions write the module's own numbers twice.
        foreach (var name in reader.Names.OrderBy(name => name.Contains(".modules_to_save.", StringComparison.Ordinal)))
            if (!name.Contains(".original_module.", StringComparison.Ordinal))
                sources.TryAdd(PlainName(name), name);
        isBare = !sources.Keys.Any(name => IsOfAdapter(name) && name.StartsWith(prefix, StringComparison.Ordinal));
        if (!isBare)
            return;
        foreach (var name in sources.Keys.Where(name => !IsOfHead(name)).ToArray())
            if (sources.Remove(name, out var source))
                sources.Add(prefix + name, source);
    }

    /// <summary>The file's name of the head's weight; null when the adapter has no head.</summary>
    public string? HeadWeight { get; private set; }

    /// <summary>Names of the head's parameters that the file has.</summary>
    public HashSet<string> HeadNames { get; } = [];

    private string? HeadBias { get; set; }

    /// <summary>Matches the tensors, and attaches the adapters, whose numbers are not set yet.</summary>
    /// <exception cref="CheckpointException">
    /// Tensors are missing, have another shape or type, or belong to nothing: all are listed.
    /// </exception>
    public static AdapterLoading Match(CheckpointReader reader, AdapterConfig config, string directory, RewardTransformer model)
    {
        var match = new AdapterLoading(reader, config, model);
        match.FindHead();
        model.HasHeadOfAdapter = match.HeadWeight is not null;
        match.FindAdapters(directory);
        match.FindOthers();
        foreach (var name in match.sources.Keys.Where(name => !WeightLoading.IsOfVocabularyHead(name)).Order(StringComparer.Ordinal))
            match.problems.Add($"tensor {Quoted.Text(match.sources[name])} is not part of the adapter; expected no such tensor");
        match.problems.ThrowIfAny(
            directory,
            $"Expected an adapter of {model.Backbone.SequenceClassificationClass} or its base model, as {CheckpointLayout.AdapterConfigFile} "
            + "describes it.");
        return match;
    }

    /// <summary>Sets the parameters.</summary>
    public void CopyValues()
    {
        using var _ = no_grad();
        foreach (var (parameter, source) in copied)
        {
            using var tensor = reader.Read(source);
            WeightLoading.CheckFinite(source, tensor, problems);
            parameter.copy_(tensor);
        }
        problems.ThrowIfAny(reader.Directory, WeightLoading.DamagedAdvice);
        foreach (var (weight, a, b, scale) in merged)
        {
            using var scope = NewDisposeScope();
            weight.add_(reader.Read(b, ScalarType.Float32).mm(reader.Read(a, ScalarType.Float32)).mul_(scale));
        }
    }

    /// <summary>What the adapter's head does to a reward besides.</summary>
    public RewardNormalizer ReadNormalizer()
    {
        using var bias = HeadBias is null ? null : reader.Read(HeadBias, ScalarType.Float64);
        return bias is null ? RewardNormalizer.None : new RewardNormalizer(-model.Outputs.Weights[0] * bias.sum().item<double>(), 1);
    }

    private static string PlainName(string name) =>
        (name.StartsWith(ModelAdapter.PeftPrefix, StringComparison.Ordinal) ? name[ModelAdapter.PeftPrefix.Length..] : name)
        .Replace(".modules_to_save.default.", ".", StringComparison.Ordinal)
        .Replace(".modules_to_save.", ".", StringComparison.Ordinal)
        .Replace(".base_layer.", ".", StringComparison.Ordinal);

    private static bool IsOfAdapter(string name) =>
        name.EndsWith(endOfA, StringComparison.Ordinal) || name.EndsWith(endOfB, StringComparison.Ordinal);

    private bool IsOfHead(string name) =>
        WeightLoading.IsOfVocabularyHead(name) || model.Head.named_parameters().Any(pair => pair.Item1 == name)
        || new ForeignHead(model.Config).WeightNames.Any(weight => BesideWeight(weight) == BesideWeight(name));

    // A layer's weight and bias have one name but for its end.
    private static string BesideWeight(string name) => name[..Math.Max(0, name.LastIndexOf('.'))];

    private void FindHead()
    {
        var isOneLayer = model.Head.named_parameters().Count() == 1;
        var weight = WeightLoading.HeadNames(model.Head, model.Config).FirstOrDefault(sources.ContainsKey);
        if (weight is null)
            return;
        HeadWeight = sources[weight];
        // The outputs were counted before the adapter's head was known, in the base model's config.json.
        if (reader.Entry(HeadWeight).Shape is [var outputs, _] && outputs != model.Outputs.Weights.Count)
            problems.Add(
                $"the head {Quoted.Text(HeadWeight)} has {outputs} outputs; expected {model.Outputs.Weights.Count}, as many as "
                + $"{RewardOutputs.WeightsSetting} of the base model's config.json, or --output-weights, gives a weight");
        foreach (var (name, parameter) in model.Head.named_parameters())
            if (sources.Remove(name == model.Head.OutputWeight ? weight : name, out var source))
            {
                HeadNames.Add(name);
                Take(parameter, source);
            }
        if (isOneLayer && sources.Remove($"{BesideWeight(weight)}.bias", out var bias))
        {
            HeadBias = bias;
            if (model.Outputs.Weights.Count == 1)
                Check(bias, [1]);
            else
                problems.Add(WeightLoading.BiasProblem(bias, HeadWeight, model.Outputs.Weights.Count));
        }
    }

    private void FindAdapters(string directory)
    {
        var prefix = model.Backbone.BaseModelPrefix + ".";
        string OwnName(string name) => isBare ? name[prefix.Length..] : name;
        var layers = ModelAdapter.LayersOf(model).Select(pair => pair.Name).Where(name => config.IsTarget(OwnName(name)))
            .Select(name => (name, config.RankOf(OwnName(name)), config.AlphaOf(OwnName(name)))).ToArray();
        foreach (var (name, layer) in ModelAdapter.LayersOf(model.Head))
            if (sources.Remove(name + endOfA, out var a) && sources.Remove(name + endOfB, out var b))
            {
                var rank = config.RankOf(name);
                Check(a, [rank, layer.Inputs]);
                Check(b, [layer.Outputs, rank]);
                merged.Add((layer.parameters().First(), a, b, config.Options.ScaleOf(rank, config.AlphaOf(name))));
            }
        try
        {
            model.Attach(config.Options with { ModulesToSave = string.Join(',', ModulesInFull(layers.Select(layer => layer.name))) }, layers);
        }
        catch (ArgumentException e)
        {
            throw new CheckpointException(
                directory, [e.Message.TrimEnd('.')],
                $"Expected an adapter of {model.Backbone.SequenceClassificationClass} or its base model.", e);
        }
        foreach (var (name, parameter) in model.ModelAdapter!.Parameters)
            if (sources.Remove(name[ModelAdapter.PeftPrefix.Length..], out var source))
                Take(parameter, source);
            else
                problems.Add(
                    $"tensor {Quoted.Text(name)} is missing; expected it with shape {Text(parameter.shape)}, as the layer is one of "
                    + "target_modules");
    }

    /// <summary>The modules of the transformer that the file has in full.</summary>
    private IEnumerable<string> ModulesInFull(IEnumerable<string> adapted)
    {
        var names = model.CheckpointParameters.Select(pair => pair.Name)
            .Where(name => name.StartsWith(model.Backbone.BaseModelPrefix + ".", StringComparison.Ordinal)).ToHashSet();
        names.ExceptWith(model.Head.named_parameters().Select(pair => pair.Item1));
        return sources.Keys
            .Where(name => names.Contains(name) && !(ModuleNames.EndsWith(name, "bias") && config.Options.Bias switch
            {
                LoraBias.All => true,
                LoraBias.LoraOnly => adapted.Contains(BesideWeight(name)),
                _ => false,
            }))
            .Select(BesideWeight).Distinct();
    }

    /// <summary>What the file has in full, beside a head.</summary>
    private void FindOthers()
    {
        foreach (var (name, parameter) in model.CheckpointParameters)
            if (sources.Remove(name, out var source))
                Take(parameter, source);
    }

    private void Take(Parameter parameter, string source)
    {
        Check(source, parameter.shape);
        copied.Add((parameter, source));
    }

    private void Check(string name, long[] shape)
    {
        var entry = reader.Entry(name);
        if (!entry.Shape.SequenceEqual(shape))
            problems.Add($"tensor {Quoted.Text(name)} has shape {Text(entry.Shape)}; expected {Text(shape)}");
        if (!entry.Type.IsFloatingPoint())
            problems.Add($"tensor {Quoted.Text(name)} has the type {entry.Type}; expected F64, F32, F16 or BF16");
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
