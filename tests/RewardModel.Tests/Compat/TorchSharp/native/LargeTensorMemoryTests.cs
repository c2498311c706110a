using System.Collections.Concurrent;
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
        // Sizes are rounded up to 64 KiB, the system may join pages, and .NET needs some as well. With glibc's it is 1.4 times as much.
        Assert.InRange(measured[0] / (double)measured[1], 0.97, 1.1);
        Assert.InRange(measured[2] / (double)measured[1], 0, 0.1);
    }

    [Fact]
    public void Tensors_of_several_threads_never_share_memory()
    {
        // Each thread releases tensors of the others.
        var tensors = new ConcurrentQueue<(Tensor Tensor, float Value)>();
        using var start = new Barrier(4);
        var problems = new ConcurrentQueue<string>();
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(thread => new Thread(() =>
        {
            var random = new SplitMix64((ulong)thread);
            start.SignalAndWait();
            for (var i = 0; i < 100; i++)
            {
                var value = 1000 * thread + i;
                tensors.Enqueue((empty(200_000 + random.NextBelow(400_000)).fill_(value), value));
                if (tensors.Count > 16 && tensors.TryDequeue(out var oldest))
                {
                    using var tensor = oldest.Tensor;
                    using var values = tensor.data<float>();
                    if (values.ToArray().Any(found => found != oldest.Value))
                        problems.Enqueue($"a tensor of {oldest.Value} holds something else");
                }
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        foreach (var (tensor, _) in tensors)
            tensor.Dispose();
        Assert.Empty(problems);
    }

    [Fact]
    public void More_memory_than_there_are_addresses_is_refused_as_libtorch_does_it()
    {
        var error = Assert.ThrowsAny<Exception>(() => empty(1L << 55));
        Assert.Contains("144115188075855872 bytes", error.Message, StringComparison.Ordinal);
    }
}
