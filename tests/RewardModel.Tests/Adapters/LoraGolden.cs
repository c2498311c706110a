using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Adapters;

/// <summary>An adapter that peft wrote, its base model, and what the reference implementation computes with both: see make_lora.py.</summary>
internal sealed class LoraGolden : IDisposable
{
    private readonly ParityModel baseModel;
    private readonly TemporaryDirectory directory = new();

    private LoraGolden(JsonNode expected)
    {
        Expected = expected;
        baseModel = ParityModel.OfRepository((string)expected["base"]!);
        var config = expected["adapter_config"]!.DeepClone();
        config["base_model_name_or_path"] = baseModel.Directory;
        File.WriteAllText(directory["adapter_config.json"], config.ToJsonString());
        using var scope = NewDisposeScope();
        CheckpointWriter.WriteAdapter(Directory, Tensors(), ScalarType.Float32);
    }

    public static TheoryData<string> Names { get; } = [.. new DirectoryInfo(Folder).EnumerateFiles("*.json")
        .Select(file => Path.GetFileNameWithoutExtension(file.Name)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Adapters");

    public JsonNode Expected { get; }

    /// <summary>The adapter's directory, which the test may change.</summary>
    public string Directory => directory.Path;

    public string BaseDirectory => baseModel.Directory;

    public IReadOnlyList<TokenizedList> Lists => baseModel.RankedLists();

    public float[] Rewards => Expected["rewards"].Deserialize<float[]>()!;

    public static LoraGolden Of(string name) => new(JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{name}.json")))!);

    public RewardTransformer Load() => RewardTransformer.Load(Directory);

    /// <summary>The adapter's tensors as they are in its file.</summary>
    public (string Name, Tensor Tensor)[] Tensors() => [.. Expected["tensors"]!.AsObject().Select(entry =>
    {
        var shape = entry.Value.Deserialize<long[]>()!;
        return (entry.Key, tensor(HashWeights.Values(entry.Key, shape)).view(shape));
    })];

    /// <summary>How far the rewards of a model are from the reference's.</summary>
    public double Distance(RewardTransformer model) => new RewardScorer(model).Score(Lists).SelectMany(row => row).Zip(Rewards)
        .Max(pair => Math.Abs(pair.First - pair.Second));

    /// <summary>The same with other tensors in the adapter's file.</summary>
    public double DistanceWith(Func<(string Name, Tensor Tensor), (string Name, Tensor Tensor)> change, Action<JsonNode>? changeConfig = null)
    {
        using var scope = NewDisposeScope();
        CheckpointWriter.WriteAdapter(Directory, Tensors().Select(change).ToArray(), ScalarType.Float32);
        ChangeConfig(changeConfig ?? (_ => { }));
        using var model = Load();
        return Distance(model);
    }

    public void ChangeConfig(Action<JsonNode> change)
    {
        var config = JsonNode.Parse(File.ReadAllText(directory["adapter_config.json"]))!;
        change(config);
        File.WriteAllText(directory["adapter_config.json"], config.ToJsonString());
    }

    public void Dispose()
    {
        baseModel.Dispose();
        directory.Dispose();
    }
}
