using RewardModel.Ranking;
using RewardModel.Training.Evaluation;

namespace RewardModel.Tests.Training.Evaluation;

/// <summary>Scored lists for tests.</summary>
internal static class SomeScoredLists
{
    /// <summary>A list of one group of answers; its prompt is its own unless one is given.</summary>
    public static ScoredList List(float[] rewards, double[] scores, int? prompt = null, int[]? tokens = null, ulong[]? keys = null) =>
        new(rewards, new RankingList(scores))
        {
            Prompt = prompt is { } number ? (UInt128)number : UInt128.MaxValue - (UInt128)Interlocked.Increment(ref promptCount),
            TokenCounts = tokens ?? [.. rewards.Select(_ => 10)],
            AnswerKeys = keys ?? [.. rewards.Select((_, i) => (ulong)i)],
        };

    /// <summary>
    /// Random lists of 1 to <paramref name="most"/> answers with few different scores, rewards and lengths, so that there are ties of all
    /// of them, some equal answers, and several lists of a prompt.
    /// </summary>
    public static ScoredList[] Random(int count, int seed, int most = 6)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                var answerCount = random.Next(1, most + 1);
                double[] scores = [.. Enumerable.Range(0, answerCount).Select(_ => (double)random.Next(4))];
                float[] rewards = [.. scores.Select(score => (float)(random.Next(-4, 5) / 2.0 + score / 3))];
                int[]? equal = answerCount > 2 && random.Next(4) == 0 ? [.. Enumerable.Range(0, answerCount).Select(i => i == 2 ? 0 : i)] : null;
                if (equal is not null)
                    rewards[2] = rewards[0];
                return new ScoredList(rewards, new RankingList(scores) { EqualAnswers = equal })
                {
                    Prompt = (UInt128)random.Next(count / 2 + 1),
                    TokenCounts = [.. Enumerable.Range(0, answerCount).Select(_ => random.Next(4, 14))],
                    AnswerKeys = [.. Enumerable.Range(0, answerCount).Select(i => (ulong)(equal?[i] ?? i) + 100)],
                    Source = random.Next(3) is var source && source == 0 ? null : $"file{source}.jsonl",
                    Group = $"group{random.Next(3)}",
                    Language = random.Next(2) == 0 ? "Latin" : "Greek",
                    IsCut = random.Next(5) == 0,
                };
            }),
        ];
    }

    /// <summary>All pairs, found the plain way.</summary>
    public static IEnumerable<(int List, int Better, int Worse, double Difference)> PairsOf(IReadOnlyList<ScoredList> lists) =>
        from l in Enumerable.Range(0, lists.Count)
        let list = lists[l]
        from better in Enumerable.Range(0, list.Rewards.Count)
        from worse in Enumerable.Range(0, list.Rewards.Count)
        where list.Ranking.Scores[better] > list.Ranking.Scores[worse]
            && (list.Ranking.EqualAnswers is not { } equal || equal[better] != equal[worse])
        select (l, better, worse, (double)list.Rewards[better] - list.Rewards[worse]);

    /// <summary>The share of pairs that are right.</summary>
    public static double AccuracyOf(IEnumerable<double> differences) => differences.Average(difference => (Math.Sign(difference) + 1) / 2.0);

    private static int promptCount;
}
