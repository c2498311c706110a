using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(Alone))]
public sealed class ModesTests
{
    private readonly Tensor w = Vector(1).requires_grad_();

    [Fact]
    public void Modes_nest_and_end()
    {
        Assert.True(is_grad_enabled());
        using (no_grad())
        {
            Assert.False((w * 2).requires_grad);
            using (enable_grad())
                Assert.True((w * 2).requires_grad);
            using (set_grad_enabled(true))
            using (enable_grad(false))
                Assert.False(is_grad_enabled());
            Assert.False(is_grad_enabled());
        }
        Assert.True((w * 2).requires_grad);
    }

    [Fact]
    public void Inference_mode_ends_once()
    {
        var mode = inference_mode();
        Assert.False(is_grad_enabled());
        Assert.False((w * 2).requires_grad);
        mode.Dispose();
        mode.Dispose();
        Assert.True(is_grad_enabled());
    }

    [Fact]
    public void Modes_are_per_thread()
    {
        using var mode = no_grad();
        var elsewhere = false;
        var thread = new Thread(() => elsewhere = is_grad_enabled());
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

    [Fact]
    public void Cuda_is_available_exactly_when_there_is_a_device()
    {
        Assert.Equal(cuda.device_count() > 0, cuda.is_available());
        Assert.Equal(cuda.is_available(), cuda_is_available());
    }
}
