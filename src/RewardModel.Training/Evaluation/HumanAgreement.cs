using System.Runtime.InteropServices;

namespace RewardModel.Training.Evaluation;

/// <summary>
/// What people agree on, where lists judge the same two answers to one prompt more than once: no model can be right more often.
/// </summary>
/// <param name="PairCount">Pairs of answers that were judged more than once, ties left out.</param>
/// <param name="JudgmentCount">Their judgments.</param>
/// <param name="Agreement">How often two judgments of a pair are the same: the mean over pairs.</param>
/// <param name="Ceiling">The accuracy on the judgments of a model that always goes with the majority.</param>
/// <param name="Accuracy">The model's accuracy on them.</param>
public sealed record HumanAgreement(long PairCount, long JudgmentCount, double Agreement, double Ceiling, double Accuracy)
{
    /// <summary>The agreement of scored lists; null where no pair was judged in more than one list.</summary>
    internal static HumanAgreement? Of(ScoredLists lists)
    {
        long pairCount = 0, judgmentCount = 0, majorityCount = 0;
        double agreement = 0, right = 0;
        var judgments = new Dictionary<(ulong Low, ulong High), (long LowIsBetter, long HighIsBetter, double Right)>();
        foreach (var samePrompt in lists.ListsOfRepeatedPrompts())
        {
            judgments.Clear();
            foreach (var index in samePrompt.Span)
                AddJudgments(lists.All[index], judgments);
            foreach (var (lowIsBetter, highIsBetter, rightOnes) in judgments.Values)
            {
                var count = lowIsBetter + highIsBetter;
                if (count < 2)
                    continue;
                pairCount++;
                judgmentCount += count;
                majorityCount += Math.Max(lowIsBetter, highIsBetter);
                right += rightOnes;
                agreement += (double)(lowIsBetter * (lowIsBetter - 1) + highIsBetter * (highIsBetter - 1)) / (count * (count - 1));
            }
        }
        return pairCount == 0 ? null : new HumanAgreement(
            pairCount, judgmentCount, agreement / pairCount, (double)majorityCount / judgmentCount, right / judgmentCount);
    }

    private static void AddJudgments(
        ScoredList list, Dictionary<(ulong Low, ulong High), (long LowIsBetter, long HighIsBetter, double Right)> judgments)
    {
        var keys = list.AnswerKeys;
        // A list is one judgment of two answers, however often they stand in it.
        int[] different = [.. Enumerable.Range(0, keys.Count).DistinctBy(i => keys[i])];
        foreach (var i in different)
            foreach (var j in different)
            {
                if (keys[i] >= keys[j] || !list.Ranking.IsPair(i, j))
                    continue;
                var isLowBetter = list.Ranking.Scores[i] > list.Ranking.Scores[j];
                var difference = (double)list.Rewards[i] - list.Rewards[j];
                ref var judged = ref CollectionsMarshal.GetValueRefOrAddDefault(judgments, (keys[i], keys[j]), out _);
                judged = (
                    judged.LowIsBetter + (isLowBetter ? 1 : 0), judged.HighIsBetter + (isLowBetter ? 0 : 1),
                    judged.Right + ScoredPair.RightOf(isLowBetter ? difference : -difference));
            }
    }
}
