using RewardModel.Reading;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using Xunit.Abstractions;

namespace RewardModel.Tests.Training.Checks;

public class LazyBaselinesTests(ITestOutputHelper output)
{
    /// <summary>Three splits of a fifth of the prompts: the accuracies that a linear model of words and pairs of words is known to reach.</summary>
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
        var lists = RankedListReader.Read(Shared.PathOf($"data/ranked/{name}.jsonl.gz")).Lists;
        var accuracies = new Dictionary<string, double>();
        const int splits = 3;
        for (ulong seed = 0; seed < splits; seed++)
        {
            var heldOut = PromptSplit.Of(lists, 0.2, seed).Eval.ToHashSet();
            var check = new DataCheck(new DataCheckSettings { HasNearDuplicates = false });
            foreach (var list in lists)
                check.Add(list);
            foreach (var baseline in check.Report([.. lists.Select(heldOut.Contains)]).Baselines)
                accuracies[baseline.Name] = accuracies.GetValueOrDefault(baseline.Name) + baseline.Accuracy / splits;
        }
        output.WriteLine($"{name}: {string.Join(", ", accuracies.Select(pair => $"{pair.Key} {pair.Value:0.000}"))}");
        Assert.InRange(accuracies["word-pairs"], expected - tolerance, expected + tolerance);
    }
}
