using FsCheck;
using FsCheck.Fluent;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training.Data;

public class EpochMixtureTests
{
    // 40 lists of source 0, 25 of source 1 and 10 of source 2, mixed up.
    private static readonly int[] sources =
        SplitMix64.Permutation(75, 5).Select(i => i < 40 ? 0 : i < 65 ? 1 : 2).ToArray();

    [Fact]
    public void Weights_of_1_change_nothing()
    {
        var mixture = new EpochMixture(sources, [1, 1, 1]);
        Assert.Equal(75, mixture.Count);
        for (var seed = 0UL; seed < 20; seed++)
        {
            Assert.Equal(SplitMix64.Permutation(75, seed), mixture.Order(seed));
            Assert.Equal(SplitMix64.Permutation(75, seed), new EpochMixture(75).Order(seed));
        }
    }

    [Fact]
    public void An_epoch_has_whole_weights_of_every_list_and_a_fraction_of_lists_once_more() =>
        Prop.ForAll(
            Gen.Choose(0, 350).Select(weight => weight / 100.0).ArrayOf(3).ToArbitrary(), ArbMap.Default.ArbFor<ulong>(), (weights, seed) =>
            {
                int[] sizes = [40, 25, 10];
                int[] expected = [.. sizes.Zip(weights, (size, weight) => (int)Math.Round(size * weight, MidpointRounding.AwayFromZero))];
                if (expected.Sum() == 0)
                    return;
                var order = new EpochMixture(sources, weights).Order(seed);
                Assert.Equal(expected.Sum(), order.Length);
                for (var source = 0; source < 3; source++)
                {
                    Assert.Equal(expected[source], order.Count(list => sources[list] == source));
                    var times = Enumerable.Range(0, 75).Where(list => sources[list] == source).Select(list => order.Count(other => other == list));
                    Assert.All(times, count => Assert.InRange(count, (int)weights[source], (int)weights[source] + 1));
                }
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_is_drawn_is_drawn_anew_in_every_epoch_and_all_lists_as_often()
    {
        var mixture = new EpochMixture(sources, [0.3, 1, 1]);
        var counts = new int[75];
        for (var epoch = 0UL; epoch < 2000; epoch++)
            foreach (var list in mixture.Order(epoch))
                counts[list]++;
        // 600 each with a standard deviation of 20.
        Assert.All(counts.Zip(sources).Where(list => list.Second == 0), list => Assert.InRange(list.First, 500, 700));
        Assert.All(counts.Zip(sources).Where(list => list.Second > 0), list => Assert.Equal(2000, list.First));
    }

    [Fact]
    public void What_is_drawn_of_a_source_does_not_depend_on_the_weights_of_others()
    {
        int[] OfSource0(double weight) => [.. new EpochMixture(sources, [0.5, weight, 1]).Order(9).Where(list => sources[list] == 0).Order()];
        Assert.Equal(OfSource0(1), OfSource0(2.3));
    }

    [Fact]
    public void An_epoch_is_the_same_for_ever() =>
        Assert.Equal([3, 5, 1, 3, 4], new EpochMixture([0, 1, 0, 1, 0, 0], [0.5, 1.5]).Order(3));

    [Fact]
    public void An_epoch_of_more_lists_and_sources_is_the_same_for_ever()
    {
        // 0.5, 2.25 and 1 of 40, 25 and 10 lists; none of a source without weight, and a source without lists.
        int[] order = new EpochMixture(sources, [0.5, 2.25, 1, 3]).Order(11);
        Assert.Equal(20 + 56 + 10, order.Length);
        Assert.Equal(5302397670697748415ul, order.Aggregate(0ul, (hash, list) => SplitMix64.Mix(hash + (ulong)list)));
    }

    [Fact]
    public void An_epoch_without_a_list_is_refused() => Assert.Equal(
        "With the weights 0.01, 0 an epoch has 0 lists; expected 1 to 2,147,483,591. (Parameter 'weights')",
        Assert.Throws<ArgumentException>(() => new EpochMixture([0, 1, 0], [0.01, 0])).Message);
}
