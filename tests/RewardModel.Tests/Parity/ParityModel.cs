using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Backbones;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Tests.Parity;

/// <summary>
/// A tiny reward model and what the reference implementation computes with it: either of this folder, with weights from
/// <see cref="HashWeights"/>, or of the larger set beside the checkout, with weights in files.
/// </summary>
internal sealed class ParityModel : IDisposable
{
    private ParityModel(JsonNode expected, string directory)
    {
        Expected = expected;
        Directory = directory;
    }

    /// <summary>Models of this folder.</summary>
    public static IReadOnlyList<string> NamesOfRepository { get; } =
        [.. System.IO.Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file))
            .Order(StringComparer.Ordinal)];

    /// <summary>Models of the larger set, where it is present.</summary>
    public static IReadOnlyList<string> NamesOfSharedSet { get; } = Shared.SkipReason("goldens") is null
        ? [.. new[] { "goldens", "goldens-next" }.Where(set => Shared.SkipReason(set) is null)
            .SelectMany(set => System.IO.Directory.EnumerateDirectories(Shared.PathOf(set))
                .Select(directory => $"{set}/{Path.GetFileName(directory)}"))
            .Where(IsKnown).Order(StringComparer.Ordinal)]
        : ["absent"];

    /// <summary>Models of this folder, each with the configuration as transformers 5 and as transformers 4 spell it.</summary>
    public static TheoryData<string, string> OfRepositoryInBothSpellings => InBothSpellings(NamesOfRepository);

    /// <summary>Models of the larger set, in the same two spellings.</summary>
    public static TheoryData<string, string> OfSharedSetInBothSpellings => InBothSpellings(NamesOfSharedSet);

    private static string Folder => Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Parity");

    public JsonNode Expected { get; }

    /// <summary>A checkpoint that the test may change.</summary>
    public string Directory { get; }

    /// <summary>A model of this folder, written out as a checkpoint.</summary>
    public static ParityModel OfRepository(string name, string config = "config", Action<JsonObject>? change = null)
    {
        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{name}.json")))!;
        var directory = System.IO.Directory.CreateTempSubdirectory("reward-model-parity-").FullName;
        var settings = expected[config]!.DeepClone().AsObject();
        change?.Invoke(settings);
        File.WriteAllText(Path.Combine(directory, "config.json"), settings.ToJsonString());
        using var scope = NewDisposeScope();
        CheckpointWriter.Write(directory, expected["parameters"]!.AsObject().Select(parameter =>
        {
            var shape = parameter.Value.Deserialize<long[]>()!;
            return (parameter.Key, tensor(HashWeights.Values(parameter.Key, shape)).view(shape));
        }).ToArray());
        return new ParityModel(expected, directory);
    }

    /// <summary>A model of the larger set.</summary>
    public static ParityModel OfSharedSet(string name, string config)
    {
        var source = Shared.PathOf(name);
        var directory = System.IO.Directory.CreateTempSubdirectory("reward-model-parity-").FullName;
        foreach (var file in System.IO.Directory.EnumerateFiles(source, "model*"))
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        File.Copy(Path.Combine(source, $"{config}.json"), Path.Combine(directory, "config.json"));
        return new ParityModel(JsonNode.Parse(File.ReadAllText(Path.Combine(source, "golden.json")))!, directory);
    }

    public RewardTransformer Load() => RewardTransformer.Load(Directory);

    /// <summary>
    /// A model of the same kind with random weights, for sequences of up to 96 tokens with ids up to
    /// <see cref="TinyModel.VocabularySize"/>.
    /// </summary>
    public static RewardTransformer Random(string name, double dropout = 0)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{name}.json")))!["config"]!.DeepClone().AsObject();
        foreach (var setting in new[] { "n_positions", "max_position_embeddings", "original_max_position_embeddings" })
            if (config.ContainsKey(setting))
            {
                config[setting] = 128;
                if (config["rope_parameters"] is JsonObject rotary && rotary.ContainsKey(setting))
                    rotary[setting] = 128;
            }
        // ModernBERT cuts its weights off, and draws those that write into the residual stream smaller. In OPT with projections around the
        // layers small weights leave little to see.
        var range = config.ContainsKey("initializer_cutoff_factor") ? 0.2 : 0.05;
        foreach (var (setting, value) in new[] { ("initializer_range", range), ("init_std", 0.1) })
            if (config.ContainsKey(setting))
                config[setting] = value;
        return RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "config.json"), dropout, seed: 1);
    }

    /// <summary>How far the rewards of a model of this folder move from the reference when its checkpoint is changed.</summary>
    /// <param name="name">The model.</param>
    /// <param name="changeConfig">Changes config.json.</param>
    /// <param name="changeWeights">Changes the tensors, by name.</param>
    public static double RewardChange(
        string name, Action<JsonObject>? changeConfig = null, Action<Dictionary<string, Tensor>>? changeWeights = null)
    {
        using var scope = NewDisposeScope();
        using var model = OfRepository(name, change: changeConfig);
        if (changeWeights is not null)
        {
            var tensors = new Dictionary<string, Tensor>();
            using (var reader = CheckpointReader.Open(model.Directory))
                foreach (var tensor in reader.Names)
                    tensors.Add(tensor, reader.Read(tensor));
            changeWeights(tensors);
            CheckpointWriter.Write(model.Directory, [.. tensors.Select(pair => (pair.Key, pair.Value))]);
        }
        using var transformer = model.Load();
        var rewards = new RewardScorer(transformer).Score(model.RankedLists());
        return model.Expected["ranking"]!["rewards"].Deserialize<float[][]>()!.Zip(rewards)
            .Max(pair => pair.First.Zip(pair.Second).Max(reward => Math.Abs(reward.First - reward.Second)));
    }

    /// <summary>What is said about a model of this folder when its config.json is changed.</summary>
    public static IReadOnlyList<string> Problems(string name, Action<JsonObject> changeConfig)
    {
        using var model = OfRepository(name, change: changeConfig);
        return Assert.Throws<CheckpointException>(model.Load).Problems;
    }

    /// <summary>A change of weights that leaves out a layer.</summary>
    public static Action<Dictionary<string, Tensor>> DropLayer(int number) => tensors =>
    {
        foreach (var name in tensors.Keys.Where(name => name.Contains($".{number}.", StringComparison.Ordinal)))
            tensors.Remove(name);
    };

    /// <summary>The padded batch without its padding, as lists of one answer each: to be packed with or without a shared prompt.</summary>
    public IReadOnlyList<TokenizedList> BatchRows()
    {
        var lengths = Expected["batch"]!["lengths"]!.Deserialize<int[]>()!;
        var rows = Expected["batch"]!["input_ids"]!.Deserialize<int[][]>()!;
        return [.. rows.Select((row, b) => new TokenizedList([], [row[..lengths[b]]], [0]))];
    }

    /// <summary>The ranked lists, best first.</summary>
    public IReadOnlyList<TokenizedList> RankedLists() =>
        [.. Expected["ranking"]!["prompts"]!.AsArray().Select(prompt =>
        {
            var answers = prompt!["answer_ids"]!.Deserialize<int[][]>()!;
            return new TokenizedList(prompt["prompt_ids"]!.Deserialize<int[]>()!, answers, RankedList.ScoresOfOrder(answers.Length));
        })];

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private static bool IsKnown(string name) => Backbone.ModelTypes.Contains(
        JsonNode.Parse(File.ReadAllText(Path.Combine(Shared.PathOf(name), "config.json")))!["model_type"]!.GetValue<string>());

    private static TheoryData<string, string> InBothSpellings(IReadOnlyList<string> names)
    {
        var data = new TheoryData<string, string>();
        foreach (var name in names)
        {
            data.Add(name, "config");
            data.Add(name, "config_v4_style");
        }
        return data;
    }
}
