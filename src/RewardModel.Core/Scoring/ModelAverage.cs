using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>The mean of the weights of several models: what <see cref="ScoringModel.LoadAverage"/> gives, and what it was made of.</summary>
internal sealed class ModelAverage : IDisposable
{
    /// <summary>Settings of config.json that say nothing of what the model computes from its tokens.</summary>
    private static readonly HashSet<string> otherSettings =
    [
        "_name_or_path", "_commit_hash", "architectures", "transformers_version", "torch_dtype", "dtype", "use_cache",
        .. ForeignHead.Settings,
    ];

    private readonly string[] directories;
    private readonly List<(RewardTransformer Shapes, CheckpointReader Reader, WeightLoading Weights, ScoringModel Model)> parts = [];

    /// <summary>Reads everything but the weights.</summary>
    /// <exception cref="CheckpointException">A model can't be used, or differs from the first one: all differences are listed.</exception>
    public ModelAverage(IReadOnlyList<string> directories)
    {
        if (directories.Count < 2)
            throw new ArgumentException(
                $"{directories.Count} models are given to be averaged; expected at least 2.", nameof(directories));
        TorchLibraries.Require();
        this.directories = [.. directories];
        try
        {
            foreach (var directory in directories)
                Add(directory);
            Compare();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The directories whose models have a normaliser, which the average has not.</summary>
    public IEnumerable<string> Normalized =>
        directories.Zip(parts).Where(pair => pair.Second.Model.Rule.Normalizer != RewardNormalizer.None).Select(pair => pair.First);

    /// <summary>The type of half the size in which all have their weights; Float32 where there is no such type.</summary>
    public ScalarType WeightType => parts.Select(part => part.Reader.WeightType).Distinct().ToArray() is [var only] ? only : ScalarType.Float32;

    /// <summary>Reads the weights, tensor by tensor, into a model of its own, which the caller disposes of.</summary>
    /// <param name="weights">How much each model counts; null: all the same.</param>
    public ScoringModel Compute(IReadOnlyList<double>? weights)
    {
        var shares = Shares(weights);
        using var scope = NewDisposeScope();
        var transformer = RewardTransformer.WithoutWeights(HuggingFaceConfig.Read(directories[0]));
        try
        {
            var readers = parts.Select(part => part.Weights.Readers()).ToArray();
            foreach (var (name, parameter) in transformer.CheckpointParameters)
                WeightMean.CopyTo(parameter, readers.Zip(shares, (reader, share) => (reader[name], share)));
            if (transformer.NotFiniteParameters() is { Count: > 0 } damaged)
                throw new CheckpointException(
                    string.Join(", ", directories),
                    [$"the average has numbers that are not finite: {WeightLoading.NamesText(damaged)}"], "Leave out the model that is damaged.");
            transformer.eval();
            var model = ScoringModel.FromParts(directories[0], transformer, parts[0].Weights.ReadNormalizer(), parts[0].Model.Tokenizer);
            model.SetNormalizer(RewardNormalizer.None);
            return model;
        }
        catch
        {
            transformer.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var (shapes, reader, _, _) in parts)
        {
            shapes.Dispose();
            reader.Dispose();
        }
    }

    private void Add(string directory)
    {
        var config = HuggingFaceConfig.Read(directory);
        var reader = CheckpointReader.Open(directory);
        RewardTransformer? shapes = null;
        try
        {
            shapes = RewardTransformer.WithoutWeights(config, weights: reader);
            var weights = WeightLoading.Match(reader, directory, shapes);
            if (weights.HeadWeight is null)
                throw new CheckpointException(
                    directory,
                    [$"tensor {Quoted.Text(shapes.Head.OutputWeight)} is missing; expected the head of a trained reward model"],
                    "Train it first.");
            var tokenizer = HuggingFaceTokenizer.IsIn(directory) ? HuggingFaceTokenizer.Load(directory) : null;
            parts.Add((shapes, reader, weights, ScoringModel.FromParts(directory, shapes, weights.ReadNormalizer(), tokenizer)));
        }
        catch
        {
            shapes?.Dispose();
            reader.Dispose();
            throw;
        }
    }

    private void Compare()
    {
        string[] problems =
        [
            .. directories.Zip(parts).Skip(1).SelectMany(pair => ConfigDifferences(pair.Second.Shapes, parts[0].Shapes)
                .Concat(ModelReading.Differences(pair.Second.Model, parts[0].Model))
                .Select(difference => $"'{pair.First}': {difference}, as in '{directories[0]}'")),
        ];
        if (problems.Length > 0)
            throw new CheckpointException(
                string.Join(", ", directories), problems,
                "Average models that were trained from one checkpoint, or score with all of them instead.");
    }

    private static IEnumerable<string> ConfigDifferences(RewardTransformer model, RewardTransformer other)
    {
        if (model.Architecture != other.Architecture)
            return [$"the architecture is {model.Architecture}; expected {other.Architecture}"];
        var (found, expected) = (model.Config.Json, other.Config.Json);
        return found.Select(pair => pair.Key).Union(expected.Select(pair => pair.Key))
            .Where(key => !otherSettings.Contains(key) && !JsonNode.DeepEquals(found[key], expected[key]))
            .Order(StringComparer.Ordinal)
            .Select(key => $"'{key}' is {Text(found[key])}; expected {Text(expected[key])}");
    }

    private static string Text(JsonNode? value) => value is null ? "not set" : Quoted.Json(value);

    private double[] Shares(IReadOnlyList<double>? weights)
    {
        if (weights is null)
            return [.. parts.Select(_ => 1.0 / parts.Count)];
        if (weights.Count != parts.Count || weights.Any(weight => !(weight > 0 && double.IsFinite(weight))))
            throw new ArgumentException(FormattableString.Invariant(
                $"The weights of the models are {string.Join(", ", weights)}; expected {parts.Count} numbers above 0, one for each model."),
                nameof(weights));
        return [.. weights.Select(weight => weight / weights.Sum())];
    }
}
