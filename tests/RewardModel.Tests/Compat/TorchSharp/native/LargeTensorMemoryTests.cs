using RewardModel.Tests.Layers;
using RewardModel.Training.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

/// <summary>Where the shim is, large tensors on the CPU have memory of their own.</summary>
[Collection(nameof(RunsAlone))]
public class LargeTensorMemoryTests
{
    [KernelFact]
    public void A_process_needs_no_more_memory_than_its_tensors_at_any_time()
    {
        var measured = ChildProgram.MeasureAsUsual("tensors");
        // Sizes are rounded up to 64 KiB, and .NET needs some as well.
        Assert.InRange(measured[0] / (double)measured[1], 0.97, 1.04);
    }

    [Fact]
    public void Tensors_of_several_threads_never_share_memory()
    {
        Parallel.For(0, 8, thread =>
        {
            var random = new SplitMix64((ulong)thread);
            var tensors = new Queue<(Tensor Tensor, float Value)>();
            for (var i = 0; i < 60; i++)
            {
                if (tensors.Count == 4)
                {
                    using var oldest = tensors.Peek().Tensor;
                    using var bytes = oldest.data<float>();
                    var value = tensors.Dequeue().Value;
                    Assert.All(bytes.ToArray().Chunk(10_000), chunk => Assert.Equal(value, chunk[0]));
                    Assert.DoesNotContain(bytes.ToArray(), found => found != value);
                }
                var next = 100 * thread + i;
                var tensor = empty(200_000 + random.NextBelow(400_000));
                tensors.Enqueue((tensor.fill_(next), next));
            }
            while (tensors.TryDequeue(out var rest))
                rest.Tensor.Dispose();
        });
    }

    [Fact]
    public void More_memory_than_there_are_addresses_is_refused_as_libtorch_does_it()
    {
        var error = Assert.ThrowsAny<Exception>(() => empty(1L << 55));
        Assert.Contains("144115188075855872 bytes", error.Message, StringComparison.Ordinal);
    }
}
