using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Ranking;
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

    /// <summary>Models of this folder, each with the configuration as transformers 5 and as transformers 4 spell it.</summary>
    public static TheoryData<string, string> OfRepositoryInBothSpellings =>
        InBothSpellings("gpt2", "llama", "llama_rope_theta", "llama_rope_llama3");

    /// <summary>Models of the larger set, in the same two spellings.</summary>
    public static TheoryData<string, string> OfSharedSetInBothSpellings => InBothSpellings("gpt2", "llama", "llama_rope_llama3");

    public JsonNode Expected { get; }

    /// <summary>A checkpoint that the test may change.</summary>
    public string Directory { get; }

    /// <summary>A model of this folder, written out as a checkpoint.</summary>
    public static ParityModel OfRepository(string name, string config = "config", Action<JsonObject>? change = null)
    {
        var expectedFile = Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Parity", $"{name}.json");
        var expected = JsonNode.Parse(File.ReadAllText(expectedFile))!;
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
        var source = Shared.PathOf($"goldens/{name}");
        var directory = System.IO.Directory.CreateTempSubdirectory("reward-model-parity-").FullName;
        foreach (var file in System.IO.Directory.EnumerateFiles(source, "model*"))
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        File.Copy(Path.Combine(source, $"{config}.json"), Path.Combine(directory, "config.json"));
        return new ParityModel(JsonNode.Parse(File.ReadAllText(Path.Combine(source, "golden.json")))!, directory);
    }

    public RewardTransformer Load() => RewardTransformer.Load(Directory);

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

    private static TheoryData<string, string> InBothSpellings(params string[] names)
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
