using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using RewardModel.Distributed;
using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Tests.Distributed;

/// <summary>
/// What one of several processes does that a launcher has started: <c>ranks COMMAND ...</c> of <see cref="ChildProgram"/>.
/// </summary>
internal static class RankProgram
{
    public static void Run(string[] arguments)
    {
        set_num_threads(1);
        switch (arguments)
        {
            case ["operations", var largestPiece]:
                using (var ranks = Start(TimeSpan.FromMinutes(1), null, long.Parse(largestPiece, CultureInfo.InvariantCulture)))
                    Collectives.Run(ranks, () => DoAll(ranks));
                break;
            case ["place"]:
                using (var ranks = Collectives.FromEnvironment())
                {
                    var lines = ranks.Gather([(byte)ranks.LocalRank, (byte)ranks.LocalSize], "places");
                    if (ranks.Rank == 0)
                        Console.Write($"{ranks.Description}\n{string.Join(' ', lines.Select(line => $"{line[0]}/{line[1]}"))}");
                }
                break;
            case ["overlap"]:
                using (var ranks = Start())
                    Collectives.Run(ranks, () => SeeResultsBeforeWaiting(ranks));
                break;
            case ["throw", var rank]:
                using (var ranks = Collectives.FromEnvironment())
                    Collectives.Run(ranks, () => Throw(ranks, int.Parse(rank, CultureInfo.InvariantCulture)));
                break;
            case ["die", var rank]:
                using (var ranks = Start())
                    Collectives.Run(ranks, () => Die(ranks, int.Parse(rank, CultureInfo.InvariantCulture)));
                break;
            case ["hang", var rank, var folder]:
                using (var ranks = Collectives.FromEnvironment(TimeSpan.FromSeconds(3), folder == "" ? null : folder))
                    Hang(ranks, int.Parse(rank, CultureInfo.InvariantCulture));
                break;
            case ["end", var folder]:
                using (var ranks = Start(TimeSpan.FromMinutes(1), folder))
                    ranks.Gather([], "nothing");
                break;
            case ["misuse"]:
                using (var ranks = Start())
                    Misuse(ranks);
                break;
            default:
                throw new ArgumentException($"no such command: {string.Join(' ', arguments)}");
        }
    }

    /// <summary>Also of a single rank, which <see cref="Collectives.FromEnvironment"/> would not start MPI for.</summary>
    private static MpiCollective Start(TimeSpan? limit = null, string? folder = null, long largestPiece = MpiCollective.LargestPiece)
    {
        var launcher = Launcher.Of(Environment.GetEnvironmentVariable)!;
        return new MpiCollective(Mpi.Open(launcher, null), launcher, limit ?? TimeSpan.FromMinutes(1), folder, largestPiece);
    }

    /// <summary>Checks every operation, and prints a digest of sums that depend on their order.</summary>
    private static void DoAll(MpiCollective ranks)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var type in new[] { float32, float64 })
        {
            // Even parts; uneven ones, some of them empty; a single one that has all; nothing at all.
            foreach (var ends in new[]
            {
                Enumerable.Range(1, ranks.Size).Select(rank => 7L * rank),
                Enumerable.Range(1, ranks.Size).Select(rank => rank % 2 == 1 ? 1000L * rank : 1000L * (rank - 1)),
                Enumerable.Range(1, ranks.Size).Select(rank => rank == ranks.Size ? 12_345L : 0),
                Enumerable.Repeat(0L, ranks.Size),
            })
                CheckParts(ranks, type, [.. ends]);
            using var numbers = Fractions(100_003, ranks.Rank).to(type);
            ranks.AllReduce(numbers, "fractions").Wait();
            digest.AppendData(numbers.bytes);
            Assert.Equal(
                Enumerable.Range(0, ranks.Size).Sum(rank => Fractions(100_003, rank)[77].item<double>()),
                numbers[77].to(float64).item<double>(), type == float32 ? 1e-5 : 1e-13);
        }
        CheckOrder(ranks);
        CheckBytes(ranks);
        CheckErrorHandlers();
        if (ranks.Rank == 0)
            Console.Write(Convert.ToHexString(digest.GetHashAndReset()));
    }

    private static void CheckParts(MpiCollective ranks, ScalarType type, long[] ends)
    {
        using var scope = NewDisposeScope();
        var (start, end, total) = (ranks.Rank == 0 ? 0 : ends[ranks.Rank - 1], ends[ranks.Rank], ends[^1]);
        // Whole numbers, whose sums are exact.
        Tensor Numbers(int rank) => arange(total, float64).mul(rank + 1).add(rank).to(type);
        var expected = Enumerable.Range(0, ranks.Size).Select(Numbers).Aggregate((a, b) => a + b);

        var sum = Numbers(ranks.Rank);
        var part = full(end - start, -1, type);
        var reduced = Numbers(ranks.Rank);
        var apart = full(total, -1, type);
        var within = full(total, -1, type);
        within.narrow(0, start, end - start).copy_(expected.narrow(0, start, end - start));
        ranks.AllReduce(sum, "sum").Wait();
        ranks.ReduceScatter(reduced, part, ends, "parts").Wait();
        ranks.AllGather(part, apart, ends, "parts of their own").Wait();
        ranks.AllGather(within.narrow(0, start, end - start), within, ends, "parts in place").Wait();
        Assert.Equal(expected, sum);
        Assert.Equal(expected.narrow(0, start, end - start), part);
        Assert.Equal(expected, apart);
        Assert.Equal(expected, within);
    }

    /// <summary>Each operation goes on with what the one before has left, and nothing is waited for in between.</summary>
    private static void CheckOrder(MpiCollective ranks)
    {
        using var scope = NewDisposeScope();
        var ends = Enumerable.Range(1, ranks.Size).Select(rank => 3L * rank).ToArray();
        Tensor numbers = ones(ends[^1], float64), part = zeros(3, float64);
        var works = new List<ICollectiveWork>();
        for (var i = 0; i < 5; i++)
        {
            works.Add(ranks.AllReduce(numbers, $"sum {i}"));
            works.Add(ranks.ReduceScatter(numbers, part, ends, $"parts {i}"));
            works.Add(ranks.AllGather(part, numbers, ends, $"all {i}"));
        }
        works.Reverse();
        foreach (var work in works)
            work.Wait();
        Assert.Equal(full(ends[^1], Math.Pow(ranks.Size, 10), float64), numbers);
    }

    private static void CheckBytes(MpiCollective ranks)
    {
        byte[] Bytes(int rank) => [.. Enumerable.Range(0, rank == 1 ? 0 : 100 * rank + 3).Select(i => (byte)(i * (rank + 1)))];
        Assert.Equal(Enumerable.Range(0, ranks.Size).Select(Bytes), ranks.Gather(Bytes(ranks.Rank), "bytes"));
        Assert.Equal(Enumerable.Repeat(Array.Empty<byte>(), ranks.Size), ranks.Gather([], "no bytes"));
    }

    /// <summary>.NET learns of a null reference by a signal, which transports of MPI have handlers of their own for.</summary>
    private static void CheckErrorHandlers()
    {
        Assert.Throws<NullReferenceException>(() => LengthOf(null!));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static int LengthOf(string text) => text.Length;
    }

    private static unsafe void SeeResultsBeforeWaiting(MpiCollective ranks)
    {
        using var numbers = ones(1_000_000);
        var first = (float*)LibTorch.DataOf(numbers);
        var work = ranks.AllReduce(numbers, "while nobody waits");
        var clock = Stopwatch.StartNew();
        while (Volatile.Read(ref first[999_999]) == 1 && clock.Elapsed < TimeSpan.FromSeconds(20))
            Thread.Yield();
        var found = first[999_999];
        work.Wait();
        Assert.Equal(ranks.Size, found);
    }

    private static void Throw(ICollective ranks, int rank)
    {
        ranks.Gather([], "first");
        if (ranks.Rank == rank)
            throw new ArithmeticException("there is no such number");
        ranks.Gather([], "second");
    }

    private static void Die(MpiCollective ranks, int rank)
    {
        using var numbers = ones(4_000_000);
        for (var i = 0; ; i++)
        {
            var work = ranks.AllReduce(numbers, "again");
            if (i == 10 && ranks.Rank == rank)
                Process.GetCurrentProcess().Kill();
            work.Wait();
        }
    }

    private static void Hang(ICollective ranks, int rank)
    {
        ranks.Gather([], "tokens of the step");
        if (ranks.Rank == rank)
            Thread.Sleep(Timeout.Infinite);
        using var numbers = ones(10);
        ranks.AllReduce(numbers, "gradients of layer 2").Wait();
    }

    private static void Misuse(MpiCollective ranks)
    {
        using Tensor two = ones(2), whole = ones(2, int64), columns = ones(4, 4).t();
        Assert.Throws<ArgumentException>(() => ranks.AllReduce(whole, "whole numbers"));
        Assert.Throws<ArgumentException>(() => ranks.AllReduce(columns, "columns"));
        Assert.Throws<ArgumentException>(() => ranks.AllGather(two, two, [2, 2, 2], "too many ends"));
        var disposed = ones(2);
        disposed.Dispose();
        Assert.ThrowsAny<Exception>(() => ranks.AllReduce(disposed, "gone"));
        var second = Assert.Throws<DistributedException>(() => Start());
        Assert.Equal(
            "start of MPI: MPI has been started in this process already, which can be done once. Keep the ICollective of the first start.",
            second.Message);
        ranks.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ranks.AllReduce(two, "too late"));
        if (ranks.Rank == 0)
            Console.Write("all refused");
    }

    private static Tensor Fractions(long count, int rank) => arange(count, float64).mul(rank + 0.1).sin();
}
