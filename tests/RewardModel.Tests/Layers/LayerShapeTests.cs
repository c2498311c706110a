using RewardModel.Backbones;
using RewardModel.Layers;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Layers;

public class LayerShapeTests
{
    public static TheoryData<string> Models => [.. ParityModel.NamesOfRepository];

    [Theory]
    [MemberData(nameof(Models))]
    public void A_backbone_states_the_matrices_that_each_of_its_layers_has(string name)
    {
        using var model = ParityModel.Random(name);
        foreach (var (layer, shape) in model.Backbone.Layers.Zip(model.Backbone.LayerShapes))
        {
            // Some are stored transposed.
            var stated = shape.Matrices.Select(matrix => InOrder(matrix.Inputs, matrix.Outputs)).Order().ToArray();
            // The experts of some are one tensor.
            var matrices = layer.named_parameters().Where(pair => !pair.name.EndsWith("bias", StringComparison.Ordinal))
                .SelectMany(pair => pair.parameter.dim() == 3 ? pair.parameter.unbind(0) : [pair.parameter])
                .Where(matrix => matrix.dim() == 2).ToArray();
            Assert.Equal(shape.Matrices.Sum(matrix => matrix.Size), matrices.Sum(matrix => matrix.numel()));
            Assert.Equal(stated, matrices.Select(matrix => InOrder(matrix.size(0), matrix.size(1))).Order());
        }

        static (long, long) InOrder(long first, long second) => (Math.Min(first, second), Math.Max(first, second));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void And_its_norms(string name)
    {
        using var model = ParityModel.Random(name);
        var shape = model.Backbone.LayerShape;
        // The first layer of some has one less.
        var norms = model.Backbone.Layers[^1].modules().Count(module => module is LayerNorm or RmsNorm or GemmaRmsNorm);
        Assert.Equal(norms, shape.NormCount + (shape.Attention.HasNorms ? 2 : 0));
    }

    [Fact]
    public void Every_architecture_is_among_them()
    {
        var types = ParityModel.NamesOfRepository.Select(name =>
        {
            using var model = ParityModel.Random(name);
            return model.Architecture;
        });
        Assert.Equal(Backbone.ModelTypes.Order(), types.Distinct().Order());
    }
}
