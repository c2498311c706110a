using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// A reward model: a transformer whose vocabulary head is replaced by one that gives a single number. Reads packed sequences and
/// returns one reward for each scored one: read at its last token by causal architectures, as their head does by encoders.
/// </summary>
public sealed partial class RewardTransformer : nn.Module<PackedSequences, Tensor>
{
    private Precision precision;
    private OriginalWeights? originals;
    private bool isDisposed;

    // What the settings describe, and the files that its weights are to be read from, if there are any: both are checked before it is made.
    private RewardTransformer(HuggingFaceConfig config, double dropout, CheckpointReader? weights = null) : base(nameof(RewardTransformer))
    {
        if (!(dropout is >= 0 and < 1))
            throw new ArgumentException($"The dropout rate is {dropout}; expected a number from 0 to below 1.", nameof(dropout));
        Config = config;
        Dropout = dropout;
        var description = Backbone.Describe(config);
        if (weights is not null)
            description.CheckFits(weights);
        Backbone = description.Create(dropout);
        Outputs = ReadOutputs(weights);
        Head = Backbone.CreateHead(Outputs.Weights.Count);
        Head.Combination = Outputs.Weights;
        register_module("backbone", Backbone);
        register_module("head", Head);
        // The model outlives the dispose scope in which it is made.
        foreach (var parameter in parameters())
            parameter.DetachFromDisposeScope();
    }

    /// <summary>The transformer under the head.</summary>
    internal Backbone Backbone { get; }

    /// <summary>What makes rewards of the transformer's hidden states.</summary>
    internal RewardHead Head { get; }

    /// <summary>The outputs of the head, and what a reward is of them.</summary>
    public RewardOutputs Outputs { get; }

    /// <summary>The config.json that the model was made from.</summary>
    public HuggingFaceConfig Config { get; }

    /// <summary>The values of <c>model_type</c> in config.json that a model can be made from.</summary>
    public static IReadOnlyList<string> Architectures => Backbone.ModelTypes;

    /// <summary><c>model_type</c> of the config.json: one of <see cref="Architectures"/>.</summary>
    public string Architecture => Config.Json["model_type"]!.GetValue<string>();

    /// <summary>Size D of a hidden state.</summary>
    public int HiddenSize => Backbone.HiddenSize;

    /// <summary>Rows of the token embedding: token ids lie below.</summary>
    public int VocabularySize => Backbone.VocabularySize;

    /// <summary>Maximum length of a sequence, prompt and answer together, in tokens.</summary>
    public int MaxPositions => Backbone.MaxPositions;

    /// <summary>
    /// Whether the answers of a list share its prompt, which is then computed once: where a token sees only those before it. Encoders see
    /// both ways, and read every answer with its own copy of the prompt.
    /// </summary>
    public bool SharesPrompts => Backbone.IsCausal;

    /// <summary>
    /// Where the model computes: the CPU unless it was moved, as any TorchSharp module is, by <c>model.to(device)</c>. That makes new
    /// parameters, so it comes before a <c>Trainer</c> starts.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed of.</exception>
    public Device Device
    {
        get
        {
            ThrowIfDisposed();
            return Head.parameters().First().device;
        }
    }

    /// <summary>The data type of the transformer's matrix products; float32 unless set.</summary>
    /// <exception cref="ArgumentException"><see cref="IsBatchInvariant"/> is set, which is of float32.</exception>
    public Precision Precision
    {
        get => precision;
        set
        {
            if (IsBatchInvariant && value != Precision.Float32)
                throw new ArgumentException($"{nameof(IsBatchInvariant)} is set, so that products are in Float32; found {value}.");
            precision = value;
            foreach (var layer in Backbone.modules().OfType<MatrixLayer>())
                layer.Precision = value;
        }
    }

    /// <summary>
    /// Whether a reward is the same to the bit whatever it is computed together with: other lists and answers, in whichever batches, on however
    /// many threads, with vectors of any width, with or without a <see cref="PromptCache"/>. False unless set: then it is the same but for the rounding of
    /// float32. Scoring takes longer with it: docs/serving.md has figures. Of causal architectures on the CPU, in float32; training makes no use of it.
    /// </summary>
    /// <exception cref="ArgumentException">The model is set to it and is an encoder, is on a GPU, or computes in bfloat16.</exception>
    public bool IsBatchInvariant
    {
        get;
        set
        {
            string? problem = !value ? null
                : !Backbone.IsCausal ? $"this {Backbone.GetName()} is an encoder; expected a causal architecture"
                : Device.type != DeviceType.CPU ? $"the model is on {Device}; expected the CPU"
                : Precision != Precision.Float32 ? $"its products are in {Precision}; expected Float32"
                : null;
            if (problem is not null)
                throw new ArgumentException($"Rewards can't be made independent of their batch to the bit: {problem}.");
            field = value;
            foreach (var layer in Backbone.modules().Concat(Head.modules()))
                if (layer is MatrixLayer matrix)
                    matrix.IsBatchInvariant = value;
                else if (layer is Layers.LayerNorm norm)
                    norm.IsBatchInvariant = value;
        }
    }

    /// <summary>Dropout rate in training.</summary>
    public double Dropout { get; }

    /// <summary>True if the checkpoint had no head and a new one was initialised: the rewards mean nothing before training.</summary>
    public bool HasNewHead { get; private set; }

    /// <summary>True if all weights were newly initialised, by <see cref="FromConfig"/>; false if a checkpoint was loaded.</summary>
    public bool IsNew { get; private set; }

    /// <summary>
    /// The trainable parameters, under their names in a checkpoint: all that require gradients, and those of adapters under their names in
    /// PEFT's files. The others are frozen: they have no gradient and no moments, and are not part of a run's states.
    /// </summary>
    public IEnumerable<(string Name, Parameter Parameter)> TrainedParameters =>
        CheckpointParameters.Concat(modelAdapter?.Parameters ?? []).Where(pair => pair.Parameter.requires_grad);

    /// <summary>
    /// Which weights are frozen and stored in fewer bits, as they were loaded; null where all are float32. It can't be changed: what is stored
    /// can't be trained any more.
    /// </summary>
    public FrozenWeights? FrozenWeights { get; private set; }

    /// <summary>
    /// The parameters under the names that they have in a Hugging Face checkpoint: the model's own tensors, not copies. Those of stored
    /// <see cref="FrozenWeights"/> have their shapes, and all their elements are NaN. Those of adapters
    /// are not among them.
    /// </summary>
    public IEnumerable<(string Name, Parameter Parameter)> CheckpointParameters =>
        Backbone.named_parameters().Where(pair => !MatrixLayer.IsOfAdapter(pair.Item1))
            .Select(pair => ($"{Backbone.BaseModelPrefix}.{pair.Item1}", pair.Item2))
            .Concat(Head.named_parameters());

    /// <summary>
    /// Loads a Hugging Face checkpoint: a language model, whose vocabulary head is replaced by a new reward head, or a reward model. Its
    /// head may be that of transformers or another trainer's: <c>v_head.weight</c>, <c>v_head.summary.weight</c>,
    /// <c>value_head.weight</c>, <c>regression_head.weight</c>, <c>out_proj.weight</c>, what <c>value_head_prefix</c> in config.json names,
    /// also in a <c>value_head.safetensors</c>. A bias of such a head is no parameter here: <see cref="ScoringModel.Load"/> keeps it in the normaliser. Or loads an adapter in PEFT's format
    /// together with its base model: then the model has that <see cref="Adapter"/>.
    /// </summary>
    /// <param name="directory">With config.json and safetensors files, or with adapter_config.json and adapter_model.safetensors.</param>
    /// <param name="dropout">Rate for every dropout the architecture has, in training; the checkpoint's own rates are not used.</param>
    /// <param name="seed">Seed of a new head.</param>
    /// <param name="baseDirectory">
    /// Directory of an adapter's base model; null: where adapter_config.json says, from the adapter's directory or the current one.
    /// </param>
    /// <param name="frozenWeights">Which weights are frozen and stored in fewer bits; null: none are.</param>
    /// <param name="outputWeights">What each output of a head counts in a reward; null: as config.json says.</param>
    /// <exception cref="CheckpointException">The directory can't be used: all reasons are listed.</exception>
    /// <exception cref="ArgumentNullException">The directory is null.</exception>
    /// <exception cref="ArgumentException">More layers are to be unfrozen than there are.</exception>
    public static RewardTransformer Load(
        string directory, double dropout = 0, long seed = 0, string? baseDirectory = null, FrozenWeights? frozenWeights = null,
        OutputWeights? outputWeights = null) =>
        Load(directory, dropout, seed, baseDirectory, frozenWeights, outputWeights, progress: null, CancellationToken.None, out _);

    // The normaliser: what the checkpoint's head does to a reward besides, where another trainer made it.
    internal static RewardTransformer Load(
        string directory, double dropout, long seed, string? baseDirectory, FrozenWeights? frozenWeights, OutputWeights? outputWeights,
        IProgress<LoadProgress>? progress, CancellationToken cancellationToken, out RewardNormalizer normalizer)
    {
        ArgumentNullException.ThrowIfNull(directory);
        cancellationToken.ThrowIfCancellationRequested();
        TorchLibraries.Require();
        using var scope = NewDisposeScope();
        var adapter = AdapterOf(directory, ref baseDirectory);
        var config = ConfigOf(baseDirectory, adapter is null ? null : directory).With(outputWeights);
        // What is wrong with the settings is said first.
        Backbone.Describe(config);
        using var reader = CheckpointReader.Open(baseDirectory, besideAdapter: adapter is not null);
        var model = new RewardTransformer(config, dropout, reader) { BaseDirectory = Path.GetFullPath(baseDirectory) };
        try
        {
            model.SetFrozenWeights(frozenWeights);
            var weights = WeightLoading.Match(reader, baseDirectory, model);
            model.originals = frozenWeights is null ? null : new OriginalWeights(baseDirectory);
            weights.CopyValues(model.LayersToStore(), model.originals, progress, cancellationToken);
            normalizer = weights.ReadNormalizer();
            model.HasNewHead = weights.HeadWeight is null;
            var absent = weights.Absent;
            if (adapter is not null)
                model.LoadAdapter(directory, adapter, absent, ref normalizer);
            if (model.HasNewHead)
                model.DrawHead(absent, seed);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The configuration of a model: for an adapter that of its base model, with the outputs of the adapter's head, by whose names weights may be
    /// given then.
    /// </summary>
    /// <param name="directory">Where the weights lie.</param>
    /// <param name="adapterDirectory">Where the adapter lies; null for none.</param>
    /// <exception cref="CheckpointException">A file is missing or invalid.</exception>
    internal static HuggingFaceConfig ConfigOf(string directory, string? adapterDirectory) =>
        HuggingFaceConfig.Read(directory).With(adapterDirectory is null ? null : ScoringRule.ReadOutputWeights(adapterDirectory));

    /// <summary>A model whose parameters have their shapes only: their memory is reserved, not used.</summary>
    /// <param name="config">Describes the architecture.</param>
    /// <param name="directory">Where its weights lie; null: nowhere.</param>
    /// <param name="weights">Files that could have the weights of such a model; null where there are none.</param>
    internal static RewardTransformer WithoutWeights(HuggingFaceConfig config, string? directory = null, CheckpointReader? weights = null)
    {
        TorchLibraries.Require();
        using var scope = NewDisposeScope();
        return new RewardTransformer(config, dropout: 0, weights) { BaseDirectory = directory, IsNew = directory is null };
    }

    /// <summary>
    /// A model whose weights are still in the checkpoint, for ranks of which each reads its part: but for a new head, parameters have no
    /// memory to speak of.
    /// </summary>
    /// <inheritdoc cref="Load(string, double, long, string, FrozenWeights, OutputWeights)"/>
    internal static RewardTransformer WithPendingWeights(string directory, double dropout, long seed, OutputWeights? outputWeights)
    {
        TorchLibraries.Require();
        using var scope = NewDisposeScope();
        var config = HuggingFaceConfig.Read(directory).With(outputWeights);
        Backbone.Describe(config);
        var reader = CheckpointReader.Open(directory);
        RewardTransformer? model = null;
        try
        {
            model = new RewardTransformer(config, dropout, reader) { BaseDirectory = Path.GetFullPath(directory) };
            model.Pending = PendingWeights.Of(reader, directory, model);
            foreach (var layer in model.Backbone.modules().OfType<WeightLayer>())
                layer.Release();
            model.HasNewHead = model.Pending.Absent.Count > 0;
            if (model.HasNewHead)
                model.DrawHead(model.Pending.Absent, seed);
            return model;
        }
        catch
        {
            model?.Dispose();
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Weights that are still to be read; null where the parameters have all of them.</summary>
    internal PendingWeights? Pending { get; private set; }

    /// <summary>All weights that this process needs were read.</summary>
    internal void EndPending()
    {
        Pending?.Dispose();
        Pending = null;
    }

    /// <summary>Freezes a model without weights, so that memory is estimated for weights that would be stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The model has fewer layers, or the number is negative.</exception>
    internal void FreezeAs(int? unfrozenLayers, WeightStorage storage)
    {
        if (unfrozenLayers < 0 || unfrozenLayers > Backbone.Layers.Count)
            throw new ArgumentOutOfRangeException(
                nameof(unfrozenLayers), unfrozenLayers, $"expected 0 to {Backbone.Layers.Count}, the layers of this {Backbone.GetName()}");
        Freeze(unfrozenLayers);
        if (unfrozenLayers is { } count && storage != WeightStorage.Float32)
            FrozenWeights = new FrozenWeights(storage, count);
    }

    /// <summary>A model with random weights, initialised as in the architecture's reference implementation.</summary>
    /// <param name="config">Describes the architecture; of a Hugging Face config.json.</param>
    /// <param name="dropout">Rate for every dropout the architecture has, in training.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <exception cref="CheckpointException">The configuration can't be used: all reasons are listed.</exception>
    public static RewardTransformer FromConfig(HuggingFaceConfig config, double dropout = 0, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(config);
        TorchLibraries.Require();
        using var scope = NewDisposeScope();
        var model = new RewardTransformer(config, dropout);
        lock (Initialization.Generator)
        {
            manual_seed(seed);
            using (no_grad())
                model.Backbone.InitializeWeights();
            model.InitializeHead([.. model.Head.named_parameters().Select(pair => pair.Item1)]);
        }
        model.IsNew = true;
        return model;
    }

    /// <summary>
    /// Freezes what lies below the last layers: the embeddings and the layers before them. The head, and what lies between it and the last
    /// layer, is always trained.
    /// </summary>
    /// <param name="trainedLayers">
    /// Layers, counted from the last, that stay trained; null: everything is trained again, of a model with an adapter what belongs to it.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The model has fewer layers, or the number is negative.</exception>
    /// <exception cref="ArgumentException">The model has an adapter, which says what is trained.</exception>
    /// <exception cref="InvalidOperationException">Layers would be trained whose weights are stored in fewer bits.</exception>
    public void Freeze(int? trainedLayers)
    {
        if (modelAdapter is not null && trainedLayers is not null)
            throw new ArgumentException("The model has an adapter, beside which no layer is trained.", nameof(trainedLayers));
        if (modelAdapter is not null)
        {
            modelAdapter.Freeze();
            return;
        }
        var layers = Backbone.Layers;
        if (trainedLayers < 0 || trainedLayers > layers.Count)
            throw new ArgumentOutOfRangeException(
                nameof(trainedLayers), trainedLayers, $"expected 0 to {layers.Count}, the layers of this {Backbone.GetName()}");
        if (FrozenWeights is { } frozen && !(trainedLayers <= frozen.UnfrozenLayers))
            throw new InvalidOperationException(
                $"{(trainedLayers is null ? "All layers" : Counted.Of(trainedLayers.Value, "layer"))} would be trained, but the weights before the "
                + $"last {Counted.Of(frozen.UnfrozenLayers, "layer")} are stored as {frozen.Storage} and can't be trained. Load the model with "
                + "other frozen weights, or with none.");
        foreach (var (_, parameter) in CheckpointParameters)
            parameter.requires_grad = true;
        if (trainedLayers is not { } count)
            return;
        var lowest = layers.Count - count;
        foreach (var parameter in Backbone.BeforeLayers.Concat(layers.Take(lowest).SelectMany(layer => layer.parameters())))
            parameter.requires_grad = false;
    }

    /// <summary>
    /// Freezes the embeddings, and whatever else lies before the first layer; everything else stays as it is.
    /// <see cref="Freeze"/> with null trains them again.
    /// </summary>
    public void FreezeEmbeddings()
    {
        foreach (var parameter in Backbone.BeforeLayers)
            parameter.requires_grad = false;
    }

    private void SetFrozenWeights(FrozenWeights? frozenWeights)
    {
        if (frozenWeights is null)
            return;
        if (frozenWeights.UnfrozenLayers > Backbone.Layers.Count)
            throw new ArgumentException(
                $"{Counted.Of(frozenWeights.UnfrozenLayers, "layer")} of {frozenWeights.Storage} weights would be unfrozen; "
                + $"this {Backbone.GetName()} has {Counted.Of(Backbone.Layers.Count, "layer")}.");
        Freeze(frozenWeights.UnfrozenLayers);
        FrozenWeights = frozenWeights;
    }

    /// <summary>The layers whose weights are stored, each by its weight's handle, and how.</summary>
    internal IReadOnlyDictionary<IntPtr, (WeightLayer Layer, WeightStorage Storage)> LayersToStore() => FrozenWeights is null
        ? new Dictionary<IntPtr, (WeightLayer, WeightStorage)>()
        : Backbone.modules().OfType<WeightLayer>().Where(layer => !layer.Weight.requires_grad)
            .Select(layer => (Layer: layer, Storage: layer.StorageFor(FrozenWeights.Storage)))
            .Where(pair => pair.Storage != WeightStorage.Float32).ToDictionary(pair => pair.Layer.Weight.Handle);

    /// <summary>What has the weights that ranks share; null where the parameters have all of them.</summary>
    internal IWeightHolder? WeightHolder { get; set; }

    /// <summary>Digest of a parameter's values in the checkpoint that it was read from, where it is stored; else null.</summary>
    /// <param name="name">Its name in <see cref="CheckpointParameters"/>.</param>
    internal string? DigestOfStored(string name) => originals?.Contains(name) == true ? originals.DigestOf(name) : null;

    /// <summary>
    /// What a checkpoint of the model holds: the parameters, or this rank's parts of them, and the values that stored weights had where they
    /// were read.
    /// </summary>
    /// <param name="use">Is given them; they can be read while it runs.</param>
    /// <exception cref="CheckpointException">The checkpoint that the model was loaded from is not what it was.</exception>
    internal void WithOriginals(Action<IReadOnlyList<WeightSource>> use)
    {
        using var reader = originals?.Open();
        var parts = WeightHolder?.Parts;
        use([
            .. CheckpointParameters.Select(pair => originals?.Contains(pair.Name) == true
                ? new WeightSource(pair.Name, pair.Parameter.shape, () => originals.Read(reader!, pair.Name))
                : parts?[pair.Name] is { } part
                ? new WeightSource(part.Name, part.Shape, part.Tensor.alias) { First = part.First, Count = part.Tensor.numel() }
                : new WeightSource(pair.Name, pair.Parameter.shape, () => pair.Parameter.alias())),
        ]);
    }

    /// <summary>
    /// The names of the parameters that are saved with the model and have a number that is not finite: with an adapter, of what is trained.
    /// Of stored weights there are none: what they stand for was checked when it was read.
    /// </summary>
    internal IReadOnlyList<string> NotFiniteParameters() =>
    [
        .. (modelAdapter is null ? CheckpointParameters.Where(pair => originals?.Contains(pair.Name) != true) : TrainedParameters)
            .Where(pair => !FiniteNumbers.AreIn(pair.Parameter)).Select(pair => pair.Name),
    ];

    /// <summary>One reward per scored sequence, in the order in which they were packed.</summary>
    /// <returns>[N], float32, on the model's device; the caller's.</returns>
    /// <exception cref="ArgumentException">
    /// A sequence is longer than the backbone takes, or a token id is not in its vocabulary.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model or the sequences have been disposed of.</exception>
    public override Tensor forward(PackedSequences sequences)
    {
        using var pass = new ForwardPass(sequences);
        return forward(pass);
    }

    /// <summary>The same, with what belongs to one pass: a seed of dropout, a backward pass in less memory.</summary>
    /// <inheritdoc cref="forward(PackedSequences)"/>
    public Tensor forward(ForwardPass pass) => OfStates(pass, Backbone.SequenceStates, Head.call);

    /// <summary>What the head's outputs give, one row per scored sequence: <see cref="RewardsOf"/> makes rewards of them.</summary>
    /// <returns>[N, O], float32, on the model's device; the caller's.</returns>
    /// <inheritdoc cref="forward(ForwardPass)"/>
    public Tensor OutputsOf(ForwardPass pass) => OfStates(pass, Backbone.SequenceStates, Head.Outputs);

    /// <summary>The rewards of outputs: the sum of them that <see cref="Outputs"/> says.</summary>
    /// <param name="outputs_NO">[N, O], float32, as <see cref="OutputsOf"/> gives them; rewards have their graph.</param>
    /// <returns>[N], float32; the caller's.</returns>
    /// <exception cref="ArgumentException">There are other outputs than the head's.</exception>
    /// <exception cref="ArgumentNullException">The outputs are null.</exception>
    public Tensor RewardsOf(Tensor outputs_NO)
    {
        ArgumentNullException.ThrowIfNull(outputs_NO);
        return outputs_NO.dim() == 2 && outputs_NO.size(1) == Outputs.Weights.Count
            ? Head.RewardsOf(outputs_NO)
            : throw new ArgumentException(
                $"The outputs have the shape [{string.Join(", ", outputs_NO.shape)}]; expected [N, {Outputs.Weights.Count}], as OutputsOf gives them.",
                nameof(outputs_NO));
    }

    /// <summary>A reward at every token of every answer, one answer after the other; of causal architectures only.</summary>
    /// <returns>[A], float32, of all answers' tokens, on the model's device; the caller's.</returns>
    /// <inheritdoc cref="forward(ForwardPass)"/>
    internal Tensor TokenRewards(ForwardPass pass) => OfStates(pass, Backbone.AnswerStates, Head.call);

    private Tensor OfStates(ForwardPass pass, Func<ForwardPass, Tensor> statesOf, Func<Tensor, Tensor> compute)
    {
        ArgumentNullException.ThrowIfNull(pass);
        ThrowIfDisposed();
        if (WeightHolder is not null)
            pass.Begin(WeightHolder, Backbone.Layers.Count);
        using var draws = pass.Draws(layer: 0);
        using var scope = NewDisposeScope();
        var result = compute(statesOf(pass)).MoveToOuterDisposeScope();
        pass.EndForward();
        return result;
    }

    /// <summary>Packs lists as the backbone reads them, on the model's device: answers share their prompt where it is causal.</summary>
    /// <inheritdoc cref="PackedSequences.Pack(IReadOnlyList{TokenizedList}, bool, Device)"/>
    public PackedSequences Pack(IReadOnlyList<TokenizedList> lists) => Pack(lists, cache: null);

    /// <summary>The same without what a cache knows of the prompts; encoders make no use of it.</summary>
    internal PackedSequences Pack(IReadOnlyList<TokenizedList> lists, PromptCache? cache)
    {
        cache?.UseFor(this, Backbone.Layers.Count, (Precision, IsBatchInvariant));
        return PackedSequences.Pack(lists, Backbone.IsCausal, Device, Backbone.IsCausal ? cache : null);
    }

    /// <summary>Moves a model that nobody uses yet; as in memory of the CPU, it outlives the dispose scope in which it is moved.</summary>
    internal void MoveTo(Device device)
    {
        using var scope = NewDisposeScope();
        this.to(device);
        foreach (var parameter in parameters())
            parameter.DetachFromDisposeScope();
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(isDisposed, this);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        isDisposed = true;
        EndPending();
        base.Dispose(disposing);
    }

    /// <summary>The outputs that the head of a checkpoint has; without one those that config.json says.</summary>
    private RewardOutputs ReadOutputs(CheckpointReader? weights)
    {
        using var head = Backbone.CreateHead(outputs: 1);
        var found = weights is null ? null : WeightLoading.HeadNames(head, Config).FirstOrDefault(weights.Names.Contains);
        var shape = found is null ? [] : weights!.Entry(found).Shape;
        return RewardOutputs.Read(Config, found ?? head.OutputWeight, shape is [> 0 and < int.MaxValue, _] ? (int)shape[0] : null);
    }

    private void DrawHead(IReadOnlyCollection<string> names, long seed)
    {
        lock (Initialization.Generator)
        {
            manual_seed(seed);
            InitializeHead(names);
        }
    }

    // The last layer from N(0, 1 / sqrt(D + 1)): Stiennon et al., arXiv 2009.01325, appendix B.1. What some architectures have before it
    // as everything else.
    private void InitializeHead(IReadOnlyCollection<string> names)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in Head.named_parameters().Where(pair => names.Contains(pair.Item1)))
            if (name == Head.OutputWeight)
                Initialization.Apply(name, parameter, 1 / Math.Sqrt(parameter.size(1) + 1));
            else
                Head.Initialize(name, parameter, Backbone.InitializerRange);
    }
}
