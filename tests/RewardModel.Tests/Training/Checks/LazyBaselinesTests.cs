using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using Xunit.Abstractions;

namespace RewardModel.Tests.Training.Checks;

public class LazyBaselinesTests(ITestOutputHelper output)
{
    /// <summary>Two fifths of the pairs have the longer answer as the better one; three of ten are of equal lengths.</summary>
    private static readonly RankedList[] lists =
    [
        .. Enumerable.Range(0, 100).Select(i => RankedList.BestFirst(
            $"prompt {i}",
            i % 10 < 4 ? [$"surely {i}!", $"no {i}!"] : i % 10 < 7 ? [$"yes {i}!", $"bad {i}"] : [$"yes {i}", $"never {i}!"])),
    ];

    [Fact]
    public void Rules_are_measured_on_the_held_out_lists_and_equal_ones_count_half()
    {
        var heldOut = Measure(lists, i => i >= 50, new DataCheckSettings { HasNgrams = false });
        Assert.Equal(["longer", "shorter", "more-punctuation"], heldOut.Select(baseline => baseline.Name));
        // Of ten: four longer ones, three by the mark that they end with, three shorter ones; marks are equal, more, fewer.
        Assert.Equal([0.7, 0.3, 0.5], heldOut.Select(baseline => Math.Round(baseline.Accuracy, 9)));
        Assert.All(heldOut, baseline => Assert.Equal(50, baseline.PairCount));
        Assert.All(heldOut, baseline => Assert.InRange(baseline.Accuracy, baseline.AccuracyLow, baseline.AccuracyHigh));
        Assert.Equal(100, Measure(lists, i => false, new DataCheckSettings())[0].PairCount);
    }

    [Fact]
    public void Equal_answers_and_ties_make_no_pair() => Assert.All(
        Measure([new RankedList("p", ["a", "a", "b"], [1, 0, 1]), new RankedList("q", ["a"], [1])], i => i == 0, new DataCheckSettings()),
        baseline => Assert.Equal(1, baseline.PairCount));

    [Fact]
    public void Models_learn_from_the_training_side_alone()
    {
        // On the held-out side everything is the other way round.
        RankedList[] turned = [.. lists.Select((list, i) => i < 50 ? list : list with { Scores = [0, 1] })];
        foreach (var (data, expected) in new[] { (lists, 1.0), (turned, 0.0) })
        {
            var models = Measure(data, i => i >= 50, new DataCheckSettings()).Skip(3).ToArray();
            Assert.Equal(["words", "word-pairs", "characters"], models.Select(baseline => baseline.Name));
            Assert.All(models, model => Assert.Equal(expected, model.Accuracy));
            Assert.All(models, model => Assert.Equal(50, model.PairCount));
        }
    }

    [Fact]
    public void Threads_make_no_difference()
    {
        var one = Measure(lists, i => i % 2 == 0, new DataCheckSettings { MaxThreads = 1 });
        Assert.Equal(one, Measure(lists, i => i % 2 == 0, new DataCheckSettings { MaxThreads = 3 }));
    }

    [Fact]
    public void Models_see_a_bounded_sample_which_the_order_of_the_lists_does_not_change()
    {
        var settings = new DataCheckSettings { MaxNgramLists = 40 };
        var straight = Measure(lists, i => i % 2 == 0, settings);
        var models = straight.Skip(3).ToArray();
        Assert.All(models, model => Assert.InRange(model.PairCount, 10, 30));
        Assert.Equal(100 - 50, straight[0].PairCount);
        var reversed = Measure([.. lists.Reverse()], i => i % 2 == 1, settings);
        Assert.Equal(models.Select(model => model.PairCount), reversed.Skip(3).Select(model => model.PairCount));
    }

    [Fact]
    public void A_small_file_that_is_held_out_is_measured_as_a_whole()
    {
        var check = new DataCheck(new DataCheckSettings { MaxNgramLists = 20 });
        for (var i = 0; i < 100; i++)
            check.Add(lists[i], isOfEvalData: i >= 80);
        Assert.Equal(20, check.Report([.. Enumerable.Range(0, 100).Select(i => i >= 80)]).Baselines[^1].PairCount);
    }

    private static IReadOnlyList<LazyBaseline> Measure(RankedList[] data, Func<int, bool> isHeldOut, DataCheckSettings settings)
    {
        var check = new DataCheck(settings);
        foreach (var list in data)
            check.Add(list);
        return check.Report([.. Enumerable.Range(0, data.Length).Select(isHeldOut)]).Baselines;
    }

    /// <summary>Splits of a fifth of the prompts: what a linear model of words and pairs of words is known to reach.</summary>
    [SharedTheory("data/ranked")]
    [InlineData("zh-sentiment-lists", 0.868, 0.03)]
    [InlineData("e2e-quality", 0.707, 0.03)]
    [InlineData("oasst-en100", 0.590, 0.08)]
    [InlineData("summeval", 0.607, 0.08)]
    [InlineData("pandalm-kwise", 0.576, 0.08)]
    [InlineData("pandalm-pairs", 0.568, 0.05)]
    [InlineData("wmt23-zh-en", 0.533, 0.03)]
    [InlineData("hh-harmless-test", 0.600, 0.05)]
    public void Models_of_words_reach_the_floors_of_real_data(string name, double expected, double tolerance)
    {
        var real = RankedListReader.Read(Shared.PathOf($"data/ranked/{name}.jsonl.gz")).Lists;
        var accuracies = new Dictionary<string, double>();
        // Of a few prompts, a fifth is next to nothing.
        var splits = real.Count < 1000 ? 20u : 3;
        for (ulong seed = 0; seed < splits; seed++)
        {
            var heldOut = PromptSplit.Of(real, 0.2, seed).Eval.ToHashSet();
            var check = new DataCheck(new DataCheckSettings { HasNearDuplicates = false });
            foreach (var list in real)
                check.Add(list);
            foreach (var baseline in check.Report([.. real.Select(heldOut.Contains)]).Baselines)
                accuracies[baseline.Name] = accuracies.GetValueOrDefault(baseline.Name) + baseline.Accuracy / splits;
        }
        output.WriteLine($"{name}: {string.Join(", ", accuracies.Select(pair => $"{pair.Key} {pair.Value:0.000}"))}");
        Assert.InRange(accuracies["word-pairs"], expected - tolerance, expected + tolerance);
    }
}
