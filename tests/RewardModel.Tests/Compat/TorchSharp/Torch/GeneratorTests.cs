using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(RunsAlone))]
public sealed class GeneratorTests
{
    [Fact]
    public void The_same_seed_gives_the_same_numbers()
    {
        manual_seed(5).Dispose();
        var first = Draw();
        var second = Draw();
        manual_seed(5).Dispose();
        Assert.Equal(first, Draw());
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void The_seed_of_GPUs_is_not_that_of_the_CPU()
    {
        manual_seed(5).Dispose();
        var expected = Draw();
        manual_seed(5).Dispose();
        cuda.manual_seed_all(6);
        Assert.Equal(expected, Draw());
    }

    [Fact]
    public void A_disposed_generator_says_so()
    {
        var generator = manual_seed(1);
        generator.Dispose();
        generator.Dispose();
        var error = Assert.Throws<InvalidOperationException>(() => nn.init.normal_(zeros(1), generator: generator));
        Assert.Equal("Generator invalid -- empty handle.", error.Message);
    }

    private static double[] Draw() => Of(nn.init.normal_(zeros(4)));
}
