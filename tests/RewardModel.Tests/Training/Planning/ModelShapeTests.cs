using RewardModel.Adapters;
using RewardModel.Scoring;
using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class ModelShapeTests
{
    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("opt-350m")]
    [InlineData("instructgpt-6b")]
    public void Groups_are_the_parameters_of_the_model(string name)
    {
        using var model = name is "llama" or "gpt2" ? TinyModel.Create(name) : Shapes.Model(name);
        foreach (var optimizer in Enum.GetValues<OptimizerKind>())
        {
            var shape = ModelShape.Of(model, optimizer);
            var memory = TrainingMemory.Estimate(model, new ListSize(8, 8, 2), optimizer);
            Assert.Equal(
                (memory.Weights, memory.Gradients, memory.Moments),
                (shape.All.WeightBytes, shape.All.GradientBytes, shape.All.MomentBytes));
            Assert.Equal(model.Backbone.Layers.Count, shape.Layers.Count);
            Assert.Equal(
                model.Backbone.Layers[0].parameters().Sum(parameter => parameter.numel()), shape.Layers[0].Parameters);
            Assert.True(shape.Root.Parameters >= model.VocabularySize);
        }
    }

    [Fact]
    public void What_is_frozen_or_stored_counts_as_it_is()
    {
        using var model = TinyModel.Create("llama");
        model.Freeze(1);
        var shape = ModelShape.Of(model);
        Assert.Equal(model.TrainedParameters.Sum(pair => pair.Parameter.numel()), shape.All.TrainedParameters);
        Assert.Equal(0, shape.Layers[0].TrainedParameters);
        Assert.Equal(shape.Layers[^1].Parameters, shape.Layers[^1].TrainedParameters);
        Assert.Equal(model.Backbone.Layers.Count - 1, shape.FrozenLayerCount);

        using var stored = Shapes.Model("llama-7b");
        stored.FreezeAs(0, WeightStorage.Nf4);
        stored.AddAdapter(new LoraOptions(8));
        var memory = TrainingMemory.Estimate(stored, new ListSize(8, 8, 2));
        var ofStored = ModelShape.Of(stored);
        Assert.Equal((memory.Weights, memory.Gradients), (ofStored.All.WeightBytes, ofStored.All.GradientBytes));
        // Four matrices of a layer have A [8, 4096] and B [4096, 8].
        Assert.Equal(4 * 2 * 8 * 4096, ofStored.Layers[0].TrainedParameters);
    }
}
