using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Training.Optimization;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Tests.Training.Optimization;

/// <summary>The numbers of make_optimizers.py.</summary>
internal static class OptimizerGoldens
{
    private static readonly JsonNode json = JsonNode.Parse(
        File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Training/Optimization/optimizers.json")))!;

    public static double WeightDecay => (double)json["weight_decay"]!;

    public static float[] SignedMap => json["signed_map"].Deserialize<float[]>()!;

    public static float[] UnsignedMap => json["unsigned_map"].Deserialize<float[]>()!;

    /// <summary>Takes the steps and returns the largest difference of weights and of state from the reference's, of the largest of each.</summary>
    public static double Difference(
        string name, Func<IEnumerable<WeightPart>, IReadOnlyDictionary<string, double>, Optimizer> create, int steps = 5)
    {
        using var scope = NewDisposeScope();
        var expected = json[name]!;
        (string Name, Parameter Parameter)[] parameters =
            [.. json["parameters"]!.AsObject().Select(pair => (pair.Key, new Parameter(Values(json["start"]!, pair.Key))))];
        using var optimizer = create(
            parameters.Select(WeightPart.Of), json["parameters"]!.AsObject().ToDictionary(pair => pair.Key, pair => (double)pair.Value!["rate"]!));
        for (var step = 0; step < steps; step++)
        {
            foreach (var (key, parameter) in parameters)
                parameter.grad = Values(json["gradients"]![step]!, key);
            optimizer.Step((double)json["rates"]![step]!);
        }
        var state = optimizer.State().ToArray();
        Assert.Equal(expected["state"]!.AsObject().Select(pair => pair.Key).Order(), state.Select(pair => pair.Name).Order());
        return parameters.Select(pair => Difference(expected["after"]![pair.Name]!, pair.Parameter))
            .Concat(state.Select(pair => Difference(expected["state"]![pair.Name]!, pair.Tensor))).Max();
    }

    private static double Difference(JsonNode expected, Tensor found)
    {
        var values = expected.Deserialize<float[]>()!;
        return Numbers.LargestDifference(values, found.detach().contiguous().view(-1).data<float>().ToArray()) / values.Max(MathF.Abs);
    }

    private static Tensor Values(JsonNode values, string name) =>
        tensor(values[name].Deserialize<float[]>()!).view(json["parameters"]![name]!["shape"].Deserialize<long[]>()!);
}
