using RewardModel.Ranking;

namespace RewardModel.Training.Evaluation;

/// <summary>A list whose answers a model has scored: what statistics are made of. It has no text and no token ids.</summary>
/// <param name="Rewards">K finite rewards.</param>
/// <param name="Ranking">Its K scores, and which answers are equal.</param>
internal sealed record ScoredList(IReadOnlyList<float> Rewards, RankingList Ranking)
{
    /// <summary>What its prompt is told apart by: lists with the same one depend on each other.</summary>
    public required UInt128 Prompt { get; init; }

    /// <summary>For each answer how many tokens of it the model reads.</summary>
    public required IReadOnlyList<int> TokenCounts { get; init; }

    /// <summary>For each answer what it is told apart by: the same answer in two lists has the same key.</summary>
    public required IReadOnlyList<ulong> AnswerKeys { get; init; }

    /// <summary>Of each answer what the outputs of the head give; null where the reward is the only one.</summary>
    public IReadOnlyList<IReadOnlyList<float>>? Outputs { get; init; }

    /// <summary>Whether the scores say the order only, so that their differences mean nothing.</summary>
    public bool ScoresAreOrder { get; init; }

    /// <summary>The name of the file that it was read from; null where it came from elsewhere.</summary>
    public string? Source { get; init; }

    /// <summary>What it belongs to, by the data; null where they don't say.</summary>
    public string? Group { get; init; }

    /// <summary>The script that most of its letters are of, or a guess at its language; null where its text is not known.</summary>
    public string? Language { get; init; }

    /// <summary>Whether the prompt or an answer lost tokens at the maximum length.</summary>
    public bool IsCut { get; init; }

    /// <summary>Whether one of its answers is better than another one.</summary>
    public bool HasPairs
    {
        get
        {
            for (var i = 0; i < Rewards.Count; i++)
                for (var j = 0; j < i; j++)
                    if (Ranking.IsPair(i, j))
                        return true;
            return false;
        }
    }

    /// <summary>For each answer how many different scores of the list are below its own.</summary>
    public static int[] LevelsOf(IReadOnlyList<double> scores)
    {
        double[] different = [.. scores.Distinct().Order()];
        return [.. scores.Select(score => Array.BinarySearch(different, score))];
    }

    /// <summary>For each of two or more answers the share of the others that it is better than, ties counting one half.</summary>
    public static double[] RankSharesOf(IReadOnlyList<double> scores)
    {
        var shares = new Dictionary<double, double>();
        var belowCount = 0;
        foreach (var level in scores.GroupBy(score => score).OrderBy(level => level.Key))
        {
            var equalCount = level.Count();
            shares.Add(level.Key, (belowCount + (equalCount - 1) / 2.0) / (scores.Count - 1));
            belowCount += equalCount;
        }
        return [.. scores.Select(score => shares[score])];
    }
}
