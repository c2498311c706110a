using RewardModel.Lists;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Checks;

/// <summary>Measures what a reward model has to beat.</summary>
/// <param name="lists">All lists.</param>
/// <param name="keys">For each its prompt: pairs of one prompt are drawn together.</param>
/// <param name="isHeldOut">For each its side. Where no list is held out, all are measured on.</param>
/// <param name="settings">Which models, and how many at a time.</param>
internal sealed class LazyBaselines(
    CheckedLists lists, IReadOnlyList<int> keys, IReadOnlyList<bool> isHeldOut, DataCheckSettings settings)
{
    private readonly bool isSplit = isHeldOut.Contains(true);

    /// <summary>What follows a rule; only rules that the data have something to say about.</summary>
    public IEnumerable<LazyBaseline> Rules()
    {
        (string Name, Func<CheckedAnswer, int> Of)[] rules =
        [
            ("longer", answer => answer.Characters), ("shorter", answer => -answer.Characters), ("more-tokens", answer => answer.Tokens),
            ("more-punctuation", answer => answer.Marks),
        ];
        return rules.Select(rule => Measure(
            rule.Name,
            Enumerable.Range(0, lists.Count).Where(list => !isSplit || isHeldOut[list]),
            list =>
            {
                var answers = lists.AnswersOf(list);
                var needsTokens = rule.Name == "more-tokens";
                if (answers[0] is var first && (needsTokens ? first.Tokens : first.Characters) < 0)
                    return null;
                var rewards = new float[answers.Length];
                for (var i = 0; i < rewards.Length; i++)
                    rewards[i] = rule.Of(answers[i]);
                return rewards;
            })).OfType<LazyBaseline>();
    }

    /// <summary>What is learnt from the training side; nothing where one of the sides has no lists.</summary>
    public IReadOnlyList<LazyBaseline> Models(IReadOnlyList<(int Index, RankedList List)> sample) =>
    [
        .. Scores(sample).Select(model => Measure(model.Name, model.ByList.Keys.Order(), list => model.ByList[list])).OfType<LazyBaseline>(),
    ];

    /// <summary>For each model that is learnt from the training side, the scores of the sample's held-out lists by their indices.</summary>
    public IReadOnlyList<(string Name, IReadOnlyDictionary<int, float[]> ByList)> Scores(IReadOnlyList<(int Index, RankedList List)> sample)
    {
        RankedList[] train = [.. sample.Where(list => !isHeldOut[list.Index]).Select(list => list.List)];
        var measured = sample.Where(list => isHeldOut[list.Index]).ToDictionary(list => list.Index, list => list.List);
        if (train.Length == 0 || measured.Count == 0)
            return [];
        (string Name, NgramKind Kind)[] models =
            [("words", NgramKind.Words), ("word-pairs", NgramKind.WordPairs), ("characters", NgramKind.Characters)];
        var results = new (string, IReadOnlyDictionary<int, float[]>)[models.Length];
        Parallel.For(0, models.Length, new ParallelOptions { MaxDegreeOfParallelism = settings.MaxThreads }, i =>
        {
            var model = NgramModel.Train(models[i].Kind, train, settings.Seed);
            results[i] = (models[i].Name, measured.ToDictionary(list => list.Key, list => model.Score(list.Value)));
        });
        return results;
    }

    /// <summary>Null where there is no pair to measure on.</summary>
    private LazyBaseline? Measure(string name, IEnumerable<int> measured, Func<int, float[]?> rewardsOf)
    {
        var prompts = new Dictionary<int, (double Right, long Pairs)>();
        foreach (var list in measured)
        {
            if (rewardsOf(list) is not { } rewards || Count(lists.AnswersOf(list), rewards) is not { Pairs: > 0 } of)
                continue;
            var before = prompts.GetValueOrDefault(keys[list]);
            prompts[keys[list]] = (before.Right + of.Right, before.Pairs + of.Pairs);
        }
        if (prompts.Count == 0)
            return null;
        // By prompt, so that the order of a dictionary makes no difference.
        (double Right, long Pairs)[] byPrompt = [.. prompts.OrderBy(prompt => prompt.Key).Select(prompt => prompt.Value)];
        var pairs = byPrompt.Sum(prompt => prompt.Pairs);
        var (low, high) = Bootstrap.Interval(byPrompt, settings.Seed);
        return new LazyBaseline(name, byPrompt.Sum(prompt => prompt.Right) / pairs, low, high, pairs);
    }

    private static (double Right, long Pairs) Count(ReadOnlySpan<CheckedAnswer> answers, float[] rewards)
    {
        var (right, pairs) = (0.0, 0L);
        for (var i = 0; i < rewards.Length; i++)
            for (var j = 0; j < rewards.Length; j++)
                if (answers[i].Score > answers[j].Score && answers[i].Hash != answers[j].Hash)
                {
                    pairs++;
                    right += rewards[i] > rewards[j] ? 1 : rewards[i] == rewards[j] ? 0.5 : 0;
                }
        return (right, pairs);
    }
}
