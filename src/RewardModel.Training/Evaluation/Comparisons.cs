using RewardModel.Ranking;
using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>Compares models that have scored the same lists.</summary>
internal static class Comparisons
{
    private const int shownCount = 20;

    /// <summary>The comparison, but for the lists that are left out. Pairs are those that are one for every model.</summary>
    /// <param name="names">The models' names.</param>
    /// <param name="lists">For each model all lists, in the same order.</param>
    /// <param name="show">The text of a pair.</param>
    /// <param name="seed">Decides what the bootstrap draws.</param>
    public static ModelComparison Of(
        IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<ScoredList>> lists, Func<SelectedPair, ShownPair> show, ulong seed = 0)
    {
        ScoredLists[] scored = [.. lists.Select(ofModel => new ScoredLists(ofModel))];
        var loss = RankingLoss.ByName(new RankingLossOptions().Loss);
        var all = new ComparedPairs(names.Count);
        var divisions = AccuracyTables.Divisions(scored[0]);
        var tables = divisions.Select(_ => new SortedDictionary<int, ComparedPairs>()).ToArray();
        var deviations = Deviations(scored[0], lists);
        var disagreements = new Dictionary<int, (double Value, SelectedPair Pair)>();
        foreach (var pair in scored[0].Pairs())
        {
            if (DifferencesOf(pair, lists) is not { } differences)
                continue;
            all.Add(pair.Unit, differences);
            foreach (var (rows, division) in tables.Zip(divisions))
                if (division.RowOf(pair) is >= 0 and var row)
                {
                    if (!rows.TryGetValue(row, out var counted))
                        rows.Add(row, counted = new ComparedPairs(names.Count));
                    counted.Add(pair.Unit, differences);
                }
            var scaled = differences.Zip(deviations, (difference, deviation) => difference / deviation).ToArray();
            // As sure as the less sure one of those that disagree most.
            if (Math.Min(scaled.Max(), -scaled.Min()) is > 0 and var value
                && !(disagreements.TryGetValue(pair.List, out var known) && known.Value >= value))
                disagreements[pair.List] = (value, new SelectedPair(pair.List, pair.Better, pair.Worse));
        }
        return new ModelComparison
        {
            Models = [.. names.Zip(scored, (name, ofModel) => new ComparedModel(name, Evaluations.MetricsOf(ofModel, loss, seed)))],
            Differences =
            [
                .. from first in Enumerable.Range(0, names.Count)
                   from second in Enumerable.Range(first + 1, names.Count - first - 1)
                   select all.DifferenceOf(names, first, second, seed),
            ],
            Tables =
            [
                .. tables.Zip(divisions).Where(table => table.First.Count > 1).Select(table => new ComparisonTable(
                    table.Second.By, [.. table.First.Select(row => row.Value.ToRow(table.Second.NameOf(row.Key), names, seed))])),
            ],
            Disagreements =
            [
                .. disagreements.OrderByDescending(list => list.Value.Value).ThenBy(list => list.Key).Take(shownCount).Select(list =>
                    new ModelDisagreement(show(list.Value.Pair), [.. names.Zip(lists, (name, ofModel) => RewardsOf(name, ofModel, list.Value.Pair))])),
            ],
            LeftOutListCount = 0,
        };
    }

    private static ComparedRewards RewardsOf(string name, IReadOnlyList<ScoredList> lists, SelectedPair pair) =>
        new(name, lists[pair.List].Rewards[pair.Better], lists[pair.List].Rewards[pair.Worse]);

    /// <summary>For each model r_better - r_worse; null where the answers are equal for one of them.</summary>
    private static double[]? DifferencesOf(ScoredPair pair, IReadOnlyList<IReadOnlyList<ScoredList>> lists) =>
        lists.All(ofModel => ofModel[pair.List].Ranking.IsPair(pair.Better, pair.Worse))
            ? [.. lists.Select(ofModel => (double)ofModel[pair.List].Rewards[pair.Better] - ofModel[pair.List].Rewards[pair.Worse])]
            : null;

    /// <summary>For each model the root of the mean square of its differences, by which models of different scales can be compared.</summary>
    private static double[] Deviations(ScoredLists first, IReadOnlyList<IReadOnlyList<ScoredList>> lists)
    {
        var squares = new double[lists.Count];
        var count = 0;
        foreach (var pair in first.Pairs())
            if (DifferencesOf(pair, lists) is { } differences)
            {
                count++;
                for (var model = 0; model < squares.Length; model++)
                    squares[model] += differences[model] * differences[model];
            }
        return [.. squares.Select(square => square > 0 ? Math.Sqrt(square / count) : 1)];
    }

    /// <summary>Some of the pairs, prompt by prompt.</summary>
    /// <param name="modelCount">How many models there are.</param>
    private sealed class ComparedPairs(int modelCount)
    {
        private readonly List<(double[] Right, long Pairs)> prompts = [];
        private readonly long[,] wins = new long[modelCount, modelCount];
        private readonly long[,] agreements = new long[modelCount, modelCount];
        private int unit = -1;
        private long pairCount;

        public void Add(int pairUnit, double[] differences)
        {
            if (pairUnit != unit)
                prompts.Add((new double[modelCount], 0));
            unit = pairUnit;
            pairCount++;
            var (right, pairs) = prompts[^1];
            prompts[^1] = (right, pairs + 1);
            for (var i = 0; i < modelCount; i++)
            {
                right[i] += ScoredPair.RightOf(differences[i]);
                for (var j = 0; j < modelCount; j++)
                {
                    if (differences[i] > 0 && differences[j] < 0)
                        wins[i, j]++;
                    if (Math.Sign(differences[i]) == Math.Sign(differences[j]))
                        agreements[i, j]++;
                }
            }
        }

        public ModelDifference DifferenceOf(IReadOnlyList<string> names, int first, int second, ulong seed)
        {
            var difference = Difference(first, second, seed);
            return new ModelDifference(
                names[first], names[second], difference.Difference, difference.Low, difference.High, difference.Probability,
                wins[first, second], wins[second, first], (double)agreements[first, second] / pairCount);
        }

        public ComparisonRow ToRow(string name, IReadOnlyList<string> names, ulong seed)
        {
            double[] accuracies = [.. Enumerable.Range(0, modelCount).Select(model => prompts.Sum(prompt => prompt.Right[model]) / pairCount)];
            var best = Array.IndexOf(accuracies, accuracies.Max());
            var isWinner = Enumerable.Range(0, modelCount).All(other => other == best || Difference(best, other, seed).Low > 0);
            return new ComparisonRow(
                name, pairCount, accuracies,
                [.. Enumerable.Range(0, modelCount).Select(i => (long[])[.. Enumerable.Range(0, modelCount).Select(j => wins[i, j])])],
                isWinner ? names[best] : null);
        }

        private PairedDifference Difference(int first, int second, ulong seed) =>
            Bootstrap.Difference([.. prompts.Select(prompt => (prompt.Right[first], prompt.Right[second], prompt.Pairs))], seed);
    }
}
