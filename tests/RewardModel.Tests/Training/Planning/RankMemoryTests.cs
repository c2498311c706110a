using RewardModel.Training.Planning;

namespace RewardModel.Tests.Training.Planning;

public class RankMemoryTests
{
    // Llama 2 70B by its config alone: 8 heads of keys and values of 128, an inner width of 28672.
    private const long width = 8192, keys = 1024, inner = 28672, vocabulary = 32000;
    private const long layer = 2 * width * width + 2 * width * keys + 3 * width * inner + 2 * width;
    private const long root = vocabulary * width + width + width;
    private const long all = 80 * layer + root;

    [Fact]
    public void Llama_2_70B_on_64_ranks_is_divided_as_its_sizes_say()
    {
        var model = Shapes.Of("llama-2-70b");
        const long activations = 1_000_000_007;
        RankMemory Of(Sharding sharding) => RankMemory.Of(model, sharding, 64, activations);
        Assert.Equal(68_714_512_384, all);
        // A layer has 855,654,400 parameters, more than are outside of all.
        Assert.Equal(855_654_400, layer);
        Assert.Equal(new RankMemory(4 * all, 0, 4 * all, 0, 8 * all, 0, activations, 4 * layer, 0), Of(Sharding.None));
        Assert.Equal(new RankMemory(4 * all, 0, 4 * all, 0, 8 * all / 64, 0, activations, 4 * layer, 0), Of(Sharding.Optimizer));
        Assert.Equal(
            new RankMemory(4 * all, 0, 4 * all / 64, 4 * (root + 2 * layer), 8 * all / 64, 0, activations, 0, 0), Of(Sharding.Gradients));
        var divided = Of(Sharding.Parameters);
        Assert.Equal(
            new RankMemory(
                4 * all / 64, 4 * (root + 2 * layer), 4 * all / 64, 4 * (root + 2 * layer), 8 * all / 64, 0, activations, 0, 0),
            divided);
        // By hand, in GB: 4.295 + 7.894 + 4.295 + 7.894 + 8.589 + 1.
        Assert.Equal(33.966, divided.Total / 1e9, 0.002);
    }

    [Fact]
    public void The_parts_of_a_small_model_are_these()
    {
        var model = Shapes.Small;
        // 4,400 parameters; the largest group has 1,000.
        Assert.Equal(new RankMemory(17_600, 0, 17_600, 0, 35_200, 0, 5, 4000, 0), RankMemory.Of(model, Sharding.None, 4, 5));
        Assert.Equal(new RankMemory(17_600, 0, 17_600, 0, 8800, 4400, 5, 4000, 0),
            RankMemory.Of(model, Sharding.Optimizer, 4, 5, hasAverages: true));
        Assert.Equal(new RankMemory(17_600, 0, 4400, 9600, 8800, 0, 5, 0, 0), RankMemory.Of(model, Sharding.Gradients, 4, 5));
        Assert.Equal(new RankMemory(4400, 9600, 4400, 9600, 8800, 0, 5, 0, 0), RankMemory.Of(model, Sharding.Parameters, 4, 5));
        // Offloaded, 8,800 bytes of moments, 4,400 of weights and as many of gradients.
        Assert.Equal(
            new RankMemory(4400, 9600, 4400, 9600, 0, 0, 5, 0, 17_600),
            RankMemory.Of(model, Sharding.Parameters, 4, 5, offloadsOptimizer: true));
        // A rank that has the last part has what is left, never more than the others.
        Assert.Equal(5867, RankMemory.Of(model, Sharding.Gradients, 3, 5).Gradients);
    }

    [Fact]
    public void On_the_CPU_MPI_adds_up_in_memory_of_its_own()
    {
        // The largest group has 4,000 bytes of gradients: half of them in an all-reduce, one and a half times as many in a reduce-scatter.
        long BuffersOf(Sharding sharding, int ranks = 4) => RankMemory.Of(Shapes.Small, sharding, ranks, 5, isOnGpu: false).Buffers;
        Assert.Equal(
            new long[] { 4000 + 2000, 4000 + 6000, 6000, 6000 }, Enum.GetValues<Sharding>().Select(sharding => BuffersOf(sharding)));
        Assert.Equal(0, BuffersOf(Sharding.None, ranks: 1));
        Assert.Equal(
            RankMemory.Of(Shapes.Small, Sharding.Parameters, 4, 5), RankMemory.Of(Shapes.Small, Sharding.Parameters, 4, 5, isOnGpu: false) with { Buffers = 0 });
    }

    [Fact]
    public void One_rank_divides_and_sends_nothing()
    {
        foreach (var sharding in Enum.GetValues<Sharding>())
            Assert.Equal(new RankMemory(17_600, 0, 17_600, 0, 35_200, 0, 5, 0, 0), RankMemory.Of(Shapes.Small, sharding, 1, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => RankMemory.Of(Shapes.Small, Sharding.None, 0, 5));
    }

    [Fact]
    public void More_ranks_and_more_sharding_never_take_more()
    {
        var model = Shapes.Of("llama-2-13b");
        foreach (var sharding in Enum.GetValues<Sharding>())
        {
            var totals = Enumerable.Range(1, 10).Select(power => RankMemory.Of(model, sharding, 1 << power, 0).Total).ToArray();
            Assert.Equal(totals.OrderDescending(), totals);
            Assert.True(sharding == Sharding.None || totals[^1] < totals[0]);
        }
        var bySharding = Enum.GetValues<Sharding>().Select(sharding => RankMemory.Of(model, sharding, 8, 0).Total).ToArray();
        Assert.Equal(bySharding.OrderDescending(), bySharding);
        Assert.Equal(4, bySharding.Distinct().Count());
    }
}
