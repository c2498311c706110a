using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Training;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Training;

public class TrainingListsTests
{
    // Of 8 to 40 tokens.
    private static readonly TokenizedList[] lists =
        [.. Enumerable.Range(0, 23).Select(i => TinyModel.List((ulong)i, 2 + i % 7, 3 + i % 5, 3 + i * 7 % 25))];

    [Fact]
    public void A_step_takes_lists_until_it_has_the_tokens()
    {
        foreach (var tokensPerStep in new[] { 1, 40, 100, 10_000 })
        {
            var all = Lists(new TrainingOptions { TokensPerStep = tokensPerStep, Seed = 3 });
            var step = 0;
            for (var epoch = 1; epoch <= 4; epoch++)
            {
                var end = all.StepsOf(epoch);
                var seen = new List<TokenizedList>();
                for (; step < end; step++)
                {
                    var taken = all.OfStep(step);
                    var tokens = taken.Sum(Tokens);
                    // The last one of an epoch has what is left.
                    Assert.True(tokens >= tokensPerStep || step == end - 1);
                    Assert.True(tokens - Tokens(taken[^1]) < tokensPerStep);
                    seen.AddRange(taken);
                }
                Assert.Equal(lists.OrderBy(list => list.GetHashCode()), seen.OrderBy(list => list.GetHashCode()));
                Assert.Equal(epoch, all.EpochsAfter(end));
            }
        }
    }

    [Fact]
    public void The_lists_of_an_epoch_have_the_same_order_however_they_are_counted()
    {
        var byLists = Lists(new TrainingOptions { ListsPerStep = 5, Seed = 3 });
        var byTokens = Lists(new TrainingOptions { TokensPerStep = 90, Seed = 3 });
        IEnumerable<TokenizedList> All(TrainingLists counted) => Enumerable.Range(0, counted.StepsOf(3)).SelectMany(counted.OfStep);
        Assert.Equal(All(byLists), All(byTokens));
        Assert.Equal((5, 15), (byLists.StepsPerEpoch, byLists.StepsOf(3)));
        Assert.Equal(2.4, byLists.EpochsAfter(12), 1e-12);
    }

    [Fact]
    public void Steps_can_be_asked_for_in_any_order()
    {
        var options = new TrainingOptions { TokensPerStep = 90, Seed = 3 };
        var inOrder = Lists(options);
        TokenizedList[][] expected = [.. Enumerable.Range(0, inOrder.StepsOf(5)).Select(inOrder.OfStep)];
        // As a run that is resumed does, and one that is done with a step.
        var anew = Lists(options);
        foreach (var step in new[] { expected.Length - 1, 0, expected.Length / 2, expected.Length / 2 - 1, 1 })
            Assert.Equal(expected[step], anew.OfStep(step));
    }

    [Fact]
    public void The_longest_lists_of_a_step_are_as_many_as_a_step_has()
    {
        var longest = lists.OrderByDescending(Tokens).ToArray();
        Assert.Equal(longest[..4].Select(Tokens), Lists(new TrainingOptions { ListsPerStep = 4 }).Longest().Select(Tokens));
        var byTokens = Lists(new TrainingOptions { TokensPerStep = 100 }).Longest();
        Assert.Equal(longest[..byTokens.Length].Select(Tokens), byTokens.Select(Tokens));
        Assert.InRange(byTokens.Sum(Tokens), 100, 100 + Tokens(byTokens[^1]) - 1);
        Assert.Equal(23, Lists(new TrainingOptions { ListsPerStep = 100 }).Longest().Length);
    }

    [Fact]
    public void Encoders_read_a_prompt_with_every_answer()
    {
        using var encoder = Parity.ParityModel.Random("bert", dropout: 0);
        var all = new TrainingLists(
            encoder, new TrainingOptions { TokensPerStep = 30 }.WithDefaults(), RankingLoss.ByName("log-sigmoid"), [TinyModel.List(1, 4, 3, 5)], [], NullLogger.Instance);
        Assert.Equal(4 + 3 + 4 + 5, all.TokensOf(all.Train[0]));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public void More_steps_than_can_be_counted_are_refused(int? tokensPerStep)
    {
        var all = Lists(new TrainingOptions { ListsPerStep = tokensPerStep is null ? 1 : null, TokensPerStep = tokensPerStep });
        Assert.Equal(
            "Epochs (--epochs) is 2147483647; expected at most 93368854, as an epoch has 23 steps.",
            Assert.Throws<ArgumentException>(() => all.StepsOf(int.MaxValue)).Message);
    }

    [Fact]
    public void Lists_of_a_store_are_taken_in_the_same_order_as_others()
    {
        using var store = Data.SomeLists.InMemory([.. lists, TinyModel.List(99, 3, 4), .. lists]);
        foreach (var options in new[] { new TrainingOptions { ListsPerStep = 5, Seed = 3 }, new TrainingOptions { TokensPerStep = 90, Seed = 3 } })
        {
            var (plain, compact) = (Lists(options, [.. lists, TinyModel.List(99, 3, 4), .. lists]), Lists(options, store));
            Assert.Equal((46, plain.StepsOf(3)), (compact.Train.Count, compact.StepsOf(3)));
            Assert.Equal(
                (plain.AnswerCount, plain.PairCount, plain.TokensPerEpoch), (compact.AnswerCount, compact.PairCount, compact.TokensPerEpoch));
            for (var step = 0; step < plain.StepsOf(3); step++)
                Assert.Equal(plain.OfStep(step).Select(ListKeys.ContentOf), compact.OfStep(step).Select(ListKeys.ContentOf));
        }
    }

    [Fact]
    public void An_epoch_has_the_lists_of_a_source_as_often_as_it_weighs()
    {
        using var writer = new CompactListsWriter();
        foreach (var list in lists)
            writer.Add(list, ListKeys.Of(list) with { Source = writer.Count < 20 ? 0 : 1 });
        using var store = writer.Finish();
        using var model = TinyModel.Create("llama");
        var mixed = new TrainingLists(
            model, new TrainingOptions { ListsPerStep = 4 }.WithDefaults(), RankingLoss.ByName("log-sigmoid"), store, [], NullLogger.Instance,
            sourceWeights: [0.5, 2]);
        Assert.Equal((4, 8), (mixed.StepsPerEpoch, mixed.StepsOf(2)));
        var rare = lists[20..].Select(ListKeys.ContentOf).ToHashSet();
        UInt128[] Taken(int epoch) =>
            [.. Enumerable.Range(4 * epoch, 4).SelectMany(mixed.OfStep).Select(ListKeys.ContentOf)];
        Assert.All([Taken(0), Taken(1)], taken => Assert.Equal((16, 6), (taken.Length, taken.Count(rare.Contains))));
        Assert.NotEqual(Taken(0).Order(), Taken(1).Order());
    }

    [Theory]
    [InlineData(TieHandling.Exclude, PointwiseLoss.None, LossNormalization.PerList)]
    [InlineData(TieHandling.Half, PointwiseLoss.None, LossNormalization.PerList)]
    [InlineData(TieHandling.Half, PointwiseLoss.None, LossNormalization.PerPair)]
    [InlineData(TieHandling.Exclude, PointwiseLoss.Regression, LossNormalization.PerList)]
    [InlineData(TieHandling.Exclude, PointwiseLoss.Attributes, LossNormalization.PerList)]
    public void The_index_says_which_lists_a_loss_applies_to(TieHandling ties, PointwiseLoss pointwise, LossNormalization normalization)
    {
        var loss = RankingLoss.Of(new RankingLossOptions
        {
            Ties = ties,
            Pointwise = pointwise,
            LossNormalization = normalization,
            OutputNames = pointwise == PointwiseLoss.Attributes ? ["helpfulness"] : null,
        });
        Prop.ForAll(Data.SomeLists.List.ToArbitrary(), list =>
        {
            var info = ListInfo.Of(list, default);
            return loss.AppliesTo(info.PairCount, info.Has(ListFlags.TiedPairs), loss.IsRated(list.Attributes)) == loss.DivisorOf(RankingList.Of(list)) > 0;
        }).QuickCheckThrowOnFailure();
    }

    private static int Tokens(TokenizedList list) => PackedSequences.CountTokens(list, sharePrompts: true);

    private static TrainingLists Lists(TrainingOptions options, IReadOnlyList<TokenizedList>? given = null)
    {
        using var model = TinyModel.Create("llama");
        return new TrainingLists(model, options.WithDefaults(), RankingLoss.ByName("log-sigmoid"), given ?? lists, [], NullLogger.Instance);
    }
}
