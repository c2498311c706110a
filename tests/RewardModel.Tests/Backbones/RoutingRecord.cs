using System.Text.Json;
using RewardModel.Layers;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

/// <summary>Which experts the reference implementation sends the tokens of a row through, and with what weights.</summary>
internal static class RoutingRecord
{
    /// <summary>The names of a model in this repository and, where it is present, in the larger set.</summary>
    public static IEnumerable<string> ModelsOf(string name) =>
        [name, .. ParityModel.NamesOfSharedSet.Where(shared => shared.EndsWith($"/{name}", StringComparison.Ordinal))];

    /// <summary>Asserts that a model's routers give the record.</summary>
    /// <param name="name">One of <see cref="ModelsOf"/>.</param>
    /// <param name="routesOf">What the architecture makes of a router's logits and the count of a token's experts.</param>
    public static void Compare(string name, Func<Tensor, int, ExpertRoutes> routesOf)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var parity = name.Contains('/', StringComparison.Ordinal)
            ? ParityModel.OfSharedSet(name, "config")
            : ParityModel.OfRepository(name);
        using var model = parity.Load();
        model.eval();
        var record = parity.Expected["routing"]!;
        var layers = record["by_layer"]!.AsObject();
        var chosenCount = layers.First().Value!["experts"]![0]!.AsArray().Count;
        var found = new List<float[][]>();
        foreach (var router in model.Backbone.modules().OfType<Router>())
            router.register_forward_hook((_, _, logits_TE) =>
            {
                found.Add(WeightsOf(routesOf(logits_TE, chosenCount), logits_TE));
                return logits_TE;
            });
        using var sequences = model.Pack([parity.BatchRows()[(int)record["row"]!]]);
        model.Backbone.call(sequences);

        Assert.Equal(layers.Count, found.Count);
        foreach (var ((_, layer), weights) in layers.OrderBy(pair => int.Parse(pair.Key)).Zip(found))
        {
            var experts = layer!["experts"].Deserialize<int[][]>()!;
            var expected = layer["weights"].Deserialize<float[][]>()!;
            Assert.Equal(experts.Length, weights.Length);
            for (var token = 0; token < experts.Length; token++)
            {
                int[] order = [.. Enumerable.Range(0, weights[token].Length).OrderByDescending(expert => weights[token][expert])];
                Assert.Equal(experts[token], order[..experts[token].Length]);
                Assert.All(order[experts[token].Length..], expert => Assert.Equal(0, weights[token][expert]));
                Assert.All(
                    experts[token].Zip(expected[token]), pair => Assert.InRange(Math.Abs(weights[token][pair.First] - pair.Second), 0, 1e-5));
            }
        }
    }

    /// <summary>Of each token the weight of each expert, 0 of those that it doesn't go through: each expert gives a 1 in its own column.</summary>
    private static float[][] WeightsOf(ExpertRoutes routes, Tensor logits_TE)
    {
        var (tokens, experts) = ((int)logits_TE.size(0), (int)logits_TE.size(1));
        using var identity_EE = eye(experts);
        using var weights_TE = routes.Through(zeros_like(logits_TE), (expert, rows_AE) => identity_EE[expert].expand_as(rows_AE));
        using var data = weights_TE.data<float>();
        var values = data.ToArray();
        return [.. Enumerable.Range(0, tokens).Select(token => values[(token * experts)..((token + 1) * experts)])];
    }
}
