using System.Diagnostics;
using RewardModel.Distributed;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.GpuKit;

/// <summary>NCCL of a single rank: every operation on tensors of the GPU, between computations on the default stream.</summary>
/// <param name="Libraries">NCCL's version, and where it comes from.</param>
/// <param name="Seconds">An all-reduce of 256 MB; the median of several.</param>
/// <param name="Problems">What has other values than expected, or was thrown.</param>
internal sealed record NcclCheck(string Libraries, double Seconds, IReadOnlyList<string> Problems)
{
    /// <summary>Bytes of the tensor whose sum is timed.</summary>
    public const long TimedBytes = 256_000_000;

    public bool Passes => Problems.Count == 0;

    public static NcclCheck Run(string device)
    {
        // It is not for the CPU.
        if (device == "cpu")
            return new NcclCheck("none", 0, []);
        var problems = new List<string>();
        try
        {
            using var ranks = new NcclCollective(SingleProcess.Instance, 0, TimeSpan.FromMinutes(1));
            foreach (var type in new[] { float32, float64 })
                Compare(ranks, device, type, problems);
            CompareGroups(device, problems);
            return new NcclCheck(ranks.Description, Time(ranks, device), problems);
        }
        catch (Exception exception) when (exception is DistributedException or EntryPointNotFoundException)
        {
            return new NcclCheck("none", 0, [.. problems, exception.Message]);
        }
    }

    private static void Compare(NcclCollective ranks, string device, ScalarType type, List<string> problems)
    {
        using var scope = NewDisposeScope();
        const long count = 10_000_019;
        // What is computed before and after shows whether the streams wait for each other.
        var numbers = arange(count, type, device).mul(0.5);
        var part = zeros(count, type, device);
        var all = zeros(count, type, device);
        var expected = arange(count, type, device).mul(0.5).add(1);
        ranks.AllReduce(numbers, "sum").Wait();
        numbers.add_(1);
        Hold("all-reduce", numbers);
        ranks.ReduceScatter(numbers, part, [count], "part").Wait();
        Hold("reduce-scatter", part);
        ranks.AllGather(part, all, [count], "all").Wait();
        Hold("all-gather", all);
        // In its place, and no numbers at all.
        ranks.AllGather(all, all, [count], "in place").Wait();
        Hold("all-gather in place", all);
        var none = zeros(0, type, device);
        ranks.AllReduce(none, "nothing").Wait();

        void Hold(string what, Tensor found)
        {
            if (!found.sub(expected).abs().max().cpu().to(float64).item<double>().Equals(0))
                problems.Add($"{what} of {type} gives other numbers");
        }
    }

    /// <summary>What uneven parts of several ranks are: operations of a group, here of one rank, which has all of the parts.</summary>
    private static unsafe void CompareGroups(string device, List<string> problems)
    {
        using var scope = NewDisposeScope();
        long[] ends = [5, 5, 1_000_003, 1_000_010];
        var parts = new PartEnds(ends, ends.Length);
        Tensor numbers = arange(ends[^1], float64, device), sums = zeros(ends[^1], float64, device), all = zeros(ends[^1], float64, device);
        var (nccl, cuda) = (Nccl.Open(), CudaRuntime.Open());
        cuda.SetDevice(0);
        var group = nccl.Join(nccl.NewId(), rank: 0, size: 1);
        var stream = cuda.NewStream();
        var computed = cuda.NewEvent(stream: 0);
        cuda.WaitFor(computed, stream);
        double* data = (double*)LibTorch.DataOf(numbers), sum = (double*)LibTorch.DataOf(sums), gathered = (double*)LibTorch.DataOf(all);
        Together(place => nccl.Reduce(data + parts.Start(place), sum + parts.Start(place), parts.Count(place), true, 0, group, stream));
        Together(place => nccl.Broadcast(
            sum + parts.Start(place), gathered + parts.Start(place), parts.Count(place), true, 0, group, stream));
        cuda.Synchronize(stream);
        if (!all.eq(numbers).all().cpu().item<bool>() || !sums.eq(numbers).all().cpu().item<bool>())
            problems.Add("uneven parts have other numbers");
        nccl.Leave(group);
        cuda.DestroyEvent(computed);
        cuda.DestroyStream(stream);

        void Together(Action<int> operation) => nccl.Together(() =>
        {
            for (var place = 0; place < ends.Length; place++)
                if (parts.Count(place) > 0)
                    operation(place);
        });
    }

    private static double Time(NcclCollective ranks, string device)
    {
        using var numbers = ones(TimedBytes / sizeof(float), device: device);
        var seconds = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            Machine.Synchronize(device);
            var clock = Stopwatch.StartNew();
            ranks.AllReduce(numbers, "timed").Wait();
            Machine.Synchronize(device);
            seconds.Add(clock.Elapsed.TotalSeconds);
        }
        return seconds.Order().ElementAt(seconds.Count / 2);
    }
}
