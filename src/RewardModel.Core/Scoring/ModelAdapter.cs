using System.Globalization;
using RewardModel.Adapters;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>The adapters of a model's layers: which layers have one, and what is trained beside them.</summary>
internal sealed class ModelAdapter
{
    /// <summary>What stands before names in PEFT's files.</summary>
    public const string PeftPrefix = "base_model.model.";

    private readonly RewardTransformer model;
    private readonly string[] savedModules;

    /// <summary>Attaches adapters whose numbers are not set, and freezes the rest.</summary>
    /// <param name="model">Has none yet.</param>
    /// <param name="options">What the adapters are.</param>
    /// <param name="layers">Names of the layers that get one, with the rank and the alpha of each.</param>
    /// <exception cref="ArgumentException">
    /// The options can't be used, no layer is named, a module that is to be trained doesn't exist, or one has an adapter as well.
    /// </exception>
    public ModelAdapter(RewardTransformer model, LoraOptions options, IReadOnlyList<(string Name, int Rank, double Alpha)> layers)
    {
        this.model = model;
        Options = options;
        savedModules = Check(model, options, layers);
        using var scope = NewDisposeScope();
        var all = LayersOf(model).ToDictionary(pair => pair.Name, pair => pair.Layer);
        Layers = [.. layers.Select(layer => (layer.Name, all[layer.Name]))];
        foreach (var (name, rank, alpha) in layers)
        {
            var layer = all[name];
            var adapter = new LowRankAdapter(layer.Inputs, layer.Outputs, rank, alpha, options);
            adapter.train(layer.training);
            layer.Attach(adapter);
        }
        Freeze();
    }

    /// <summary>The layers that options stand for, with rank and alpha.</summary>
    /// <exception cref="ArgumentException">The options can't be used with this model.</exception>
    public static IReadOnlyList<(string Name, int Rank, double Alpha)> LayersFor(RewardTransformer model, LoraOptions options)
    {
        string[] names = [.. LayersOf(model).Select(pair => pair.Name)];
        (string, int, double)[] layers =
        [
            .. ModuleNames.Targeted(options.Targets, names).Select(name => (name, options.Rank, options.AlphaOrDefault)),
        ];
        Check(model, options, layers);
        return layers;
    }

    /// <summary>What the adapters are, but for layers that have their own rank or alpha.</summary>
    public LoraOptions Options { get; }

    /// <summary>The layers that have one, by their names in a checkpoint.</summary>
    public IReadOnlyList<(string Name, MatrixLayer Layer)> Layers { get; }

    /// <summary>The adapters' parameters, by their names in PEFT's files.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters => Layers.SelectMany(pair => new[]
    {
        (NameOf(pair.Name, nameof(LowRankAdapter.lora_A)), pair.Layer.Adapter!.lora_A),
        (NameOf(pair.Name, nameof(LowRankAdapter.lora_B)), pair.Layer.Adapter!.lora_B),
    });

    /// <summary>The linear layers of a model's transformer, by their names in a checkpoint.</summary>
    public static IEnumerable<(string Name, MatrixLayer Layer)> LayersOf(RewardTransformer model) =>
        Named<MatrixLayer>(model.Backbone).Select(pair => ($"{model.Backbone.BaseModelPrefix}.{pair.Name}", pair.Module));

    /// <summary>The linear layers of its head.</summary>
    public static IEnumerable<(string Name, MatrixLayer Layer)> LayersOf(RewardHead head) => Named<MatrixLayer>(head);

    /// <summary>Name of a layer's A or B in PEFT's files.</summary>
    public static string NameOf(string layer, string matrix) => $"{PeftPrefix}{layer}.{matrix}.weight";

    /// <summary>Draws all A, one after the other, and sets all B to 0.</summary>
    public void Initialize(long seed)
    {
        // Apart from what the same seed draws for a new head.
        lock (Initialization.Generator)
        {
            manual_seed(unchecked(seed + (long)0x9e3779b97f4a7c15)).Dispose();
            foreach (var (_, layer) in Layers)
                layer.Adapter!.Initialize();
        }
        MoveTo(model.Head.parameters().First().device);
    }

    /// <summary>Makes the adapters, the head and what the options name trained, and nothing else.</summary>
    public void Freeze()
    {
        foreach (var (name, parameter) in model.CheckpointParameters)
            parameter.requires_grad = IsTrained(name);
        foreach (var (_, parameter) in Parameters)
            parameter.requires_grad = true;
    }

    /// <summary>Adds every adapter's product to its layer's weight, and takes the adapters away.</summary>
    public void Merge()
    {
        foreach (var (_, layer) in Layers)
            layer.Merge();
    }

    /// <summary>Writes adapter_config.json and adapter_model.safetensors.</summary>
    public void Write(string directory, string baseDirectory, ScalarType weightType)
    {
        CheckpointWriter.WriteAdapter(
            directory, model.TrainedParameters.Select(pair => (PeftNameOf(pair.Name), (Tensor)pair.Parameter)), weightType);
        string[] names = [.. Layers.Select(pair => pair.Name)];
        string[] all = [.. LayersOf(model).Concat(LayersOf(model.Head)).Select(pair => pair.Name)];
        AdapterConfig.Write(
            directory, Options, baseDirectory, ModuleNames.ShortestEnds(names, all), HeadModules().Concat(savedModules).Distinct(),
            Layers.All(pair => pair.Layer is Conv1D), [.. Layers.Select(pair => (pair.Name, pair.Layer.Adapter!.Rank, pair.Layer.Adapter.Alpha))]);
    }

    /// <summary>Names and shapes of the adapters, and what else a forward pass depends on, a line each.</summary>
    public IEnumerable<string> Description => Layers.Select(pair => string.Create(
        CultureInfo.InvariantCulture,
        $"{pair.Name} adapter {pair.Layer.Adapter!.Rank} {pair.Layer.Adapter.Scale:R} {Options.Dropout:R}"));

    /// <summary>Takes the adapters away.</summary>
    public void Remove()
    {
        foreach (var (_, layer) in Layers)
            layer.Detach();
    }

    /// <returns>Names of the modules that are trained in full.</returns>
    private static string[] Check(
        RewardTransformer model, LoraOptions options, IReadOnlyList<(string Name, int Rank, double Alpha)> layers)
    {
        string[] saved = [.. NamesOfSavedModules(model, options)];
        string?[] problems =
        [
            .. options.Problems(),
            layers.Count == 0 ? "no layer would get an adapter" : null,
            .. Named<WeightLayer>(model.Backbone).Where(pair => pair.Module.Stored is not null)
                .Select(pair => $"{model.Backbone.BaseModelPrefix}.{pair.Name}").Where(name => saved.Any(module => ModuleNames.IsIn(name, module)))
                .Select(name => $"{name} would be trained, and its weight is stored as {model.FrozenWeights!.Storage}"),
            .. layers.Where(layer => saved.Any(module => ModuleNames.IsIn(layer.Name, module)))
                .Select(layer => $"{layer.Name} would have an adapter and be trained in full as well"),
        ];
        return problems.All(problem => problem is null)
            ? saved
            : throw new ArgumentException($"The adapter can't be made: {string.Join("; ", problems.OfType<string>())}.");
    }

    /// <summary>The names that the options' modules have in a checkpoint.</summary>
    private static IReadOnlyList<string> NamesOfSavedModules(RewardTransformer model, LoraOptions options)
    {
        var ends = LoraOptions.NamesOf(options.ModulesToSave);
        string[] modules =
        [
            .. Named<nn.Module>(model.Backbone).Where(pair => pair.Name.Length > 0 && pair.Module is not LowRankAdapter && pair.Module.parameters().Any())
                .Select(pair => $"{model.Backbone.BaseModelPrefix}.{pair.Name}"),
        ];
        return ModuleNames.EndingWith(ends, modules, "module");
    }

    /// <summary>The modules of the head, without what is in them: <c>score</c>, <c>bert.pooler</c>.</summary>
    private IEnumerable<string> HeadModules()
    {
        var prefix = model.Backbone.BaseModelPrefix + ".";
        return model.Head.named_parameters().Select(pair => pair.Item1.StartsWith(prefix, StringComparison.Ordinal)
            ? prefix + pair.Item1[prefix.Length..].Split('.')[0]
            : pair.Item1.Split('.')[0]).Distinct();
    }

    private bool IsTrained(string name) =>
        !name.StartsWith(model.Backbone.BaseModelPrefix + ".", StringComparison.Ordinal)
        || model.Head.named_parameters().Any(pair => pair.Item1 == name)
        || savedModules.Any(module => ModuleNames.IsIn(name, module))
        || (ModuleNames.EndsWith(name, "bias") && Options.Bias switch
        {
            LoraBias.All => true,
            LoraBias.LoraOnly => Layers.Any(pair => $"{pair.Name}.bias" == name),
            _ => false,
        });

    private string PeftNameOf(string name)
    {
        if (name.StartsWith(PeftPrefix, StringComparison.Ordinal))
            return name;
        // PEFT puts a layer of its own around one that has an adapter.
        var adapted = Layers.Select(pair => pair.Name).FirstOrDefault(layer => $"{layer}.bias" == name);
        return PeftPrefix + (adapted is null ? name : $"{adapted}.base_layer.bias");
    }

    private void MoveTo(Device device)
    {
        using var scope = NewDisposeScope();
        foreach (var (_, layer) in Layers)
            layer.Adapter!.to(device);
        foreach (var (_, parameter) in Parameters)
            parameter.DetachFromDisposeScope();
    }

    private static IEnumerable<(string Name, TModule Module)> Named<TModule>(nn.Module parent) where TModule : nn.Module =>
        parent.named_modules().Where(pair => pair.Item2 is TModule).Select(pair => (pair.Item1, (TModule)pair.Item2));
}
