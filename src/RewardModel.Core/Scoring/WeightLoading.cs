using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>Which tensors of a checkpoint become which parameters of a model: found out from names, types and shapes alone.</summary>
internal sealed class WeightLoading
{
    /// <summary>How the names of language models' heads begin, which a reward model has no use for.</summary>
    private static readonly string[] vocabularyHeads =
        ["lm_head.", "embed_out.", "cls.", "lm_predictions.", "mask_predictions.", "decoder.weight", "decoder.bias"];

    private readonly CheckpointReader reader;
    private readonly ForeignHead foreignHead;
    private readonly double weightOfBias;
    private readonly List<(string Name, Parameter Parameter, string Source)> sources = [];

    private WeightLoading(CheckpointReader reader, RewardTransformer model)
    {
        this.reader = reader;
        foreignHead = new ForeignHead(model.Config);
        weightOfBias = model.Outputs.Weights[0];
    }

    /// <summary>Names of the head's parameters that are still to be drawn: none when the checkpoint has a reward head.</summary>
    public List<string> Absent { get; } = [];

    /// <summary>The checkpoint's name of the head's weight; null when it has no reward head.</summary>
    public string? HeadWeight { get; private set; }

    private string? HeadBias { get; set; }

    /// <summary>
    /// The names that a checkpoint can have for the weight of a head's last layer: heads of several layers have one form only.
    /// </summary>
    public static IEnumerable<string> HeadNames(RewardHead head, HuggingFaceConfig config) =>
        (IsOneLayer(head) ? new ForeignHead(config).WeightNames : []).Prepend(head.OutputWeight).Distinct();

    private static bool IsOneLayer(RewardHead head) => head.named_parameters().Count() == 1;

    /// <summary>Whether a tensor belongs to a language model's head.</summary>
    public static bool IsOfVocabularyHead(string name) => vocabularyHeads.Any(head => name.StartsWith(head, StringComparison.Ordinal));

    /// <summary>Matches every parameter with a tensor; only the reward head may be absent.</summary>
    /// <exception cref="CheckpointException">
    /// Tensors are missing, have another shape or type, or belong to nothing: all are listed.
    /// </exception>
    public static WeightLoading Match(CheckpointReader reader, string directory, RewardTransformer model)
    {
        Quantization.Check(directory, reader.Names);
        var match = new WeightLoading(reader, model);
        var unused = reader.Names.ToHashSet();
        var problems = new ProblemList();
        match.FindHead(model, unused, problems);
        match.FindParameters(model, unused, problems);

        var prefix = model.Backbone.BaseModelPrefix + ".";
        unused.RemoveWhere(IsOfVocabularyHead);
        ForeignHead.TakeRefused(unused, problems);
        foreach (var name in unused.Order(StringComparer.Ordinal))
            if (!model.Backbone.Ignores(name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name))
                problems.Add($"tensor {Quoted.Text(name)} is not part of the model; expected no such tensor");
        problems.ThrowIfAny(
            directory, $"Expected the tensors of {model.Backbone.SequenceClassificationClass}, as its config.json describes it.");
        return match;
    }

    /// <summary>Sets the parameters, one tensor at a time.</summary>
    /// <param name="stored">Layers whose weights are stored instead, by these parameters' handles, and how.</param>
    /// <param name="originals">Is told what was read for them.</param>
    /// <param name="progress">Receives a report after every tensor.</param>
    /// <param name="cancellationToken">Stops before the next tensor.</param>
    public void CopyValues(
        IReadOnlyDictionary<IntPtr, (WeightLayer Layer, WeightStorage Storage)> stored, OriginalWeights? originals,
        IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var _ = no_grad();
        var totalBytes = sources.Sum(pair => reader.Entry(pair.Source).Length);
        var readBytes = 0L;
        var problems = new ProblemList();
        foreach (var (name, parameter, source) in sources)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isStored = stored.TryGetValue(parameter.Handle, out var target);
            if (!isStored && reader.CanReadSingles(source, parameter))
            {
                if (!reader.ReadSingles(source, parameter))
                    CheckFinite(source, parameter, problems);
            }
            else
            {
                using var tensor = reader.Read(source);
                CheckFinite(source, tensor, problems);
                if (isStored)
                {
                    target.Layer.Store(tensor, target.Storage);
                    originals!.Add(name, source, tensor);
                }
                else
                    parameter.copy_(tensor);
            }
            readBytes += reader.Entry(source).Length;
            progress?.Report(new LoadProgress(readBytes, totalBytes));
        }
        problems.ThrowIfAny(reader.Directory, DamagedAdvice);
    }

    /// <summary>What to do about weights that are not finite.</summary>
    public const string DamagedAdvice =
        "The run that wrote them diverged, or the file was damaged: use an earlier checkpoint, or download or train it again.";

    /// <summary>Adds a problem where a tensor has numbers that are not finite: all rewards would be none, sooner or later.</summary>
    public static void CheckFinite(string name, Tensor tensor, ProblemList problems)
    {
        if (!FiniteNumbers.AreIn(tensor))
            problems.Add(
                $"tensor {Quoted.Text(name)} has {FiniteNumbers.CountOfOthersIn(tensor)} of {tensor.numel()} numbers that are not finite; "
                + "expected none");
    }

    /// <summary>Why a bias of a head with several outputs is refused.</summary>
    public static string BiasProblem(string bias, string head, int outputs) =>
        $"tensor {Quoted.Text(bias)} is there, and the head {Quoted.Text(head)} has {outputs} outputs; "
        + "expected no bias, which the head of a causal model has in no class of transformers";

    /// <summary>Names of tensors for a message, some of many.</summary>
    public static string NamesText(IReadOnlyCollection<string> names)
    {
        const int most = 5;
        return string.Join(", ", names.Take(most).Select(Quoted.Text)) + (names.Count > most ? $" and {names.Count - most} more" : "");
    }

    /// <summary>The checkpoint's name of each parameter's tensor.</summary>
    public IReadOnlyDictionary<string, string> Sources => sources.ToDictionary(pair => pair.Name, pair => pair.Source);

    /// <summary>How each parameter's values are read, of the file's type, into a tensor that is the caller's.</summary>
    public IReadOnlyDictionary<string, Func<Tensor>> Readers() =>
        sources.ToDictionary(pair => pair.Name, pair => (Func<Tensor>)(() => reader.Read(pair.Source)));

    /// <summary>What the checkpoint's head does to a reward besides.</summary>
    public RewardNormalizer ReadNormalizer()
    {
        using var bias = HeadBias is null ? null : reader.Read(HeadBias, ScalarType.Float64);
        var (mean, std) = foreignHead.Normalizer(weightOfBias * (bias?.sum().item<double>() ?? 0));
        return new RewardNormalizer(mean, std);
    }

    private void FindHead(RewardTransformer model, HashSet<string> unused, ProblemList problems)
    {
        string[] found = [.. HeadNames(model.Head, model.Config).Where(unused.Contains)];
        if (found.Length > 1)
            problems.Add(
                $"there are {found.Length} heads: "
                + string.Join(", ", found.Select(name => $"{Quoted.Text(name)} {Text(reader.Entry(name).Shape)}")) + "; expected one");
        unused.ExceptWith(found);
        if (found.Length == 0)
            return;
        HeadWeight = found[0];
        foreach (var name in IsOneLayer(model.Head) ? found : [])
        {
            var bias = $"{name[..^".weight".Length]}.bias";
            if (!unused.Remove(bias))
                continue;
            HeadBias = bias;
            if (model.Outputs.Weights.Count == 1)
                Check(bias, [1], problems);
            else
                problems.Add(BiasProblem(bias, name, model.Outputs.Weights.Count));
        }
    }

    private void FindParameters(RewardTransformer model, HashSet<string> unused, ProblemList problems)
    {
        var prefix = model.Backbone.BaseModelPrefix + ".";
        // A checkpoint of the backbone alone, as save_pretrained of a base model writes it, has no prefix.
        var found = new[] { prefix, ForeignHead.BaseModelPrefix }
            .FirstOrDefault(start => unused.Any(name => name.StartsWith(start, StringComparison.Ordinal))) ?? "";
        var headNames = model.Head.named_parameters().Select(pair => pair.Item1).ToHashSet();
        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            var source = name == model.Head.OutputWeight && HeadWeight is not null ? HeadWeight
                : name.StartsWith(prefix, StringComparison.Ordinal) ? found + name[prefix.Length..]
                : name;
            if (!unused.Contains(source) && unused.Contains(OlderName(source)))
                source = OlderName(source);
            if (source == HeadWeight || unused.Remove(source))
            {
                Check(source, parameter.shape, problems);
                sources.Add((name, parameter, source));
            }
            else if (HeadWeight is null && headNames.Contains(name))
                Absent.Add(name);
            else
                problems.Add($"tensor {Quoted.Text(source)} is missing; expected it with shape {Text(parameter.shape)}");
        }
    }

    /// <summary>The name in checkpoints that were converted from TensorFlow, whose layer norms have a gamma and a beta.</summary>
    private static string OlderName(string name) => name
        .Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
        .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);

    private void Check(string name, long[] shape, ProblemList problems)
    {
        var entry = reader.Entry(name);
        if (!entry.Shape.SequenceEqual(shape))
            problems.Add($"tensor {Quoted.Text(name)} has shape {Text(entry.Shape)}; expected {Text(shape)}");
        // Quantised weights mean nothing without their scales.
        if (!entry.Type.IsFloatingPoint())
            problems.Add($"tensor {Quoted.Text(name)} has the type {entry.Type}; expected F64, F32, F16 or BF16");
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";
}
