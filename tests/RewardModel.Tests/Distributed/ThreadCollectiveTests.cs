using RewardModel.Distributed;
using static TorchSharp.torch;

namespace RewardModel.Tests.Distributed;

public class ThreadCollectiveTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Sums_parts_and_bytes_are_those_of_all_ranks(int ranks) =>
        ThreadCollective.Run(ranks, collective =>
        {
            using var scope = NewDisposeScope();
            // Rank 1 has none.
            long[] ends = [.. Enumerable.Range(0, ranks).Select(rank => rank == 1 ? 3L : 3 + 2L * rank)];
            var (start, count) = (collective.Rank == 0 ? 0 : ends[collective.Rank - 1], ends[^1]);
            var numbers = Values(count, collective.Rank);
            var expected = Enumerable.Range(0, ranks).Select(rank => Values(count, rank)).Aggregate((a, b) => a + b);
            var own = expected[(int)start..(int)ends[collective.Rank]];

            var sum = numbers.clone();
            var part = zeros(own.numel(), float64);
            var gathered = zeros(count, float64);
            ICollectiveWork[] works = [collective.AllReduce(sum, "a sum"), collective.ReduceScatter(numbers, part, ends, "parts")];
            works[1].Wait();
            works[0].Wait();
            collective.AllGather(part, gathered, ends, "all of it").Wait();
            Assert.Equal(expected.data<double>().ToArray(), sum.data<double>().ToArray());
            Assert.Equal(own.data<double>().ToArray(), part.data<double>().ToArray());
            Assert.Equal(expected.data<double>().ToArray(), gathered.data<double>().ToArray());
            Assert.Equal(
                Enumerable.Range(0, ranks).Select(rank => new byte[rank]), collective.Gather(new byte[collective.Rank], "bytes"));
        });

    [Fact]
    public void What_fails_first_is_thrown_and_nobody_waits_for_it_any_longer()
    {
        var exception = Assert.Throws<ArithmeticException>(() => ThreadCollective.Run(3, collective =>
        {
            if (collective.Rank == 1)
                throw new ArithmeticException("rank 1");
            collective.Gather([], "nothing");
        }));
        Assert.Equal("rank 1", exception.Message);
        var aborted = Assert.Throws<InvalidOperationException>(() => ThreadCollective.Run(2, collective =>
        {
            if (collective.Rank == 1)
                collective.Abort("no more");
            collective.Gather([], "nothing");
        }));
        Assert.Equal("rank 1 of 2: no more", aborted.Message);
    }

    [Fact]
    public void Calls_that_do_not_belong_together_fail()
    {
        Assert.Contains("is Gather: ", Failure(collective => collective.Gather([], $"{collective.Rank}")), StringComparison.Ordinal);
        Assert.Equal("Rank 1 has ended, and others wait for it in Gather: x.", Failure(collective =>
        {
            if (collective.Rank == 0)
                collective.Gather([], "x");
        }));
        Assert.EndsWith("has not waited for AllReduce of 1: x.", Failure(collective => collective.AllReduce(ones(1), "x")));

        static string Failure(Action<ICollective> body) =>
            Assert.Throws<InvalidOperationException>(() => ThreadCollective.Run(2, body)).Message;
    }

    private static Tensor Values(long count, int rank) => arange(count, float64).mul(rank + 0.1).sin();
}
