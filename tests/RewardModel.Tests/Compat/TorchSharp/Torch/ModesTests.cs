using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(RunsAlone))]
public sealed class ModesTests
{
    private readonly Tensor w = Vector(1).requires_grad_();

    [Fact]
    public void Modes_nest_and_end()
    {
        Assert.True((w * 2).requires_grad);
        using (no_grad())
        {
            using (no_grad())
                Assert.False((w * 2).requires_grad);
            Assert.False((w * 2).requires_grad);
            using (enable_grad())
                Assert.True((w * 2).requires_grad);
            using (enable_grad(false))
                Assert.False((w * 2).requires_grad);
            Assert.False((w * 2).requires_grad);
        }
        Assert.True((w * 2).requires_grad);
    }

    [Fact]
    public void Modes_are_per_thread()
    {
        using var mode = no_grad();
        var elsewhere = false;
        var thread = new Thread(() => elsewhere = (w * 2).requires_grad);
        thread.Start();
        thread.Join();
        Assert.True(elsewhere);
    }

    [Fact]
    public void Threads_can_be_counted_and_set()
    {
        var before = get_num_threads();
        set_num_threads(2);
        Assert.Equal(2, get_num_threads());
        set_num_threads(before);
        Assert.Equal(before, get_num_threads());
    }
}
