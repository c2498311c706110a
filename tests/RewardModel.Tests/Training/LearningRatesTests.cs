using RewardModel.Tests.Parity;
using RewardModel.Training;

namespace RewardModel.Tests.Training;

public class LearningRatesTests
{
    [Fact]
    public void Rates_fall_from_the_head_to_the_embeddings()
    {
        using var model = TinyModel.Create("gpt2");
        var rates = LearningRates.Of(model, new TrainingOptions { LayerDecay = 0.5, HeadLearningRate = 3e-4 }, learningRate: 1e-4);
        Assert.Equal(model.TrainedParameters.Select(pair => pair.Name).Order(), rates.Keys.Order());
        foreach (var (name, rate) in rates)
            // Two layers: 0.5^3 for the embeddings, 0.5^2 and 0.5^1 for the layers, 1 behind them.
            Assert.Equal(
                name switch
                {
                    "transformer.wte.weight" or "transformer.wpe.weight" => 0.125,
                    _ when name.StartsWith("transformer.h.0.", StringComparison.Ordinal) => 0.25,
                    _ when name.StartsWith("transformer.h.1.", StringComparison.Ordinal) => 0.5,
                    "transformer.ln_f.weight" or "transformer.ln_f.bias" => 1,
                    "score.weight" => 3,
                    _ => throw new InvalidOperationException(name),
                },
                rate, 1e-12);
    }

    [Fact]
    public void Without_such_options_all_have_the_runs_rate()
    {
        using var model = TinyModel.Create("llama");
        Assert.All(LearningRates.Of(model, new TrainingOptions(), 1e-5).Values, rate => Assert.Equal(1, rate));
    }

    [Fact]
    public void Frozen_parameters_have_none()
    {
        using var model = TinyModel.Create("llama");
        model.Freeze(1);
        var rates = LearningRates.Of(model, new TrainingOptions { LayerDecay = 0.5 }, 1e-5);
        Assert.DoesNotContain(rates.Keys, name => name.StartsWith("model.layers.0.", StringComparison.Ordinal));
        Assert.Equal((0.5, 1), (rates["model.layers.1.mlp.up_proj.weight"], rates["score.weight"]));
    }

    /// <summary>Every architecture's embeddings lie before its layers, and every parameter has a place.</summary>
    [Theory, MemberData(nameof(Architectures))]
    public void Every_architecture_has_its_depths(string architecture)
    {
        using var model = ParityModel.Random(architecture, dropout: 0);
        var layers = model.Backbone.Layers.Count;
        var rates = LearningRates.Of(model, new TrainingOptions { LayerDecay = 0.5 }, 1e-5);
        double[] expected = [.. Enumerable.Range(0, layers + 2).Select(depth => Math.Pow(0.5, depth))];
        Assert.Equal(expected, rates.Values.Distinct().OrderDescending());
        Assert.All(
            rates.Where(pair => pair.Key.Contains("embeddings.", StringComparison.Ordinal) || pair.Key.Contains("embed_", StringComparison.Ordinal)),
            pair => Assert.Equal(expected[^1], pair.Value));
    }

    public static TheoryData<string> Architectures => DeviceTests.Architectures;
}
