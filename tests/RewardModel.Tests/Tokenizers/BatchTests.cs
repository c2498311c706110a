using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class BatchTests
{
    private static readonly int[] items = [.. Enumerable.Range(0, 1000)];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Results_come_in_the_order_of_the_items(int maxThreads) =>
        Assert.Equal(items.Select(item => item * item), Batch.Map(items, maxThreads, item => item * item));

    [Fact]
    public void No_items_have_no_results() => Assert.Empty(Batch.Map([], 2, (int item) => item));

    [Fact]
    public void Of_several_failures_the_first_items_is_thrown()
    {
        for (var run = 0; run < 20; run++)
        {
            var error = Assert.Throws<FormatException>(() => Batch.Map(
                items, 4, item => item % 250 != 249 ? item : throw new FormatException($"item {item}")));
            Assert.Equal("item 249", error.Message);
        }
    }

    [Fact]
    public void No_more_threads_work_than_are_allowed()
    {
        var (working, most) = (0, 0);
        Batch.Map(items, 1, item =>
        {
            var now = Interlocked.Increment(ref working);
            lock (items)
                most = Math.Max(most, now);
            Thread.Sleep(item % 100 == 0 ? 1 : 0);
            return Interlocked.Decrement(ref working);
        });
        Assert.Equal(1, most);
    }
}
