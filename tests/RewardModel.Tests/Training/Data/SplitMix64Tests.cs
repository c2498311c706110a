using FsCheck;
using FsCheck.Fluent;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class SplitMix64Tests
{
    [Fact]
    public void Seed_1234567_gives_the_published_numbers()
    {
        var random = new SplitMix64(1234567);
        ulong[] expected =
        [
            6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
        ];
        Assert.Equal(expected, expected.Select(_ => random.Next()));
    }

    [Fact]
    public void A_permutation_has_every_number_once() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<byte>(), ArbMap.Default.ArbFor<ulong>(),
            (count, seed) => SplitMix64.Permutation(count, seed).Order().SequenceEqual(Enumerable.Range(0, count)))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void A_permutation_is_the_same_for_ever()
    {
        Assert.Equal([4, 3, 2, 7, 5, 6, 0, 1], SplitMix64.Permutation(8, 1));
        Assert.Equal([5, 2, 7, 4, 1, 3, 0, 6], SplitMix64.Permutation(8, 2));
    }

    [Fact]
    public void A_permutation_of_nothing_is_empty() => Assert.Equal([], SplitMix64.Permutation(0, 1));

    [Fact]
    public void Every_order_of_three_items_comes_up_about_as_often()
    {
        var counts = Enumerable.Range(0, 6000)
            .Select(seed => string.Join(' ', SplitMix64.Permutation(3, (ulong)seed)))
            .CountBy(order => order)
            .ToDictionary();
        Assert.Equal(["0 1 2", "0 2 1", "1 0 2", "1 2 0", "2 0 1", "2 1 0"], counts.Keys.Order());
        // 1000 each with a standard deviation of 29.
        Assert.All(counts.Values, count => Assert.InRange(count, 880, 1120));
    }

    [Fact]
    public void Numbers_below_a_bound_reach_from_0_to_one_less()
    {
        var random = new SplitMix64(5);
        Assert.Equal([0, 1, 2], Enumerable.Range(0, 100).Select(_ => random.NextBelow(3)).Distinct().Order());
        Assert.Equal(0, random.NextBelow(1));
    }

    [Fact]
    public void A_bound_below_1_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>("bound", () => new SplitMix64(1).NextBelow(0));
}
