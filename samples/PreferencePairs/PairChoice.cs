using RewardModel.Training.Data;

namespace PreferencePairs;

/// <summary>Which answers of a list make pairs.</summary>
internal static class PairChoice
{
    public const string BestWorst = "best-worst", All = "all", BestRandom = "best-random";

    /// <summary>
    /// The indices of two different answers for each pair, that of the higher reward first; of equal rewards the first answer counts as
    /// better.
    /// </summary>
    /// <param name="kind">One of the constants.</param>
    /// <param name="rewards">At least two rewards.</param>
    /// <param name="random">What <see cref="BestRandom"/> draws from.</param>
    public static IEnumerable<(int Chosen, int Rejected)> Of(string kind, IReadOnlyList<float> rewards, SplitMix64 random)
    {
        int[] bestFirst = [.. Enumerable.Range(0, rewards.Count).OrderByDescending(i => rewards[i])];
        return kind switch
        {
            BestWorst => [(bestFirst[0], bestFirst[^1])],
            BestRandom => [(bestFirst[0], bestFirst[1 + random.NextBelow(bestFirst.Length - 1)])],
            All => bestFirst.SelectMany((chosen, place) => bestFirst[(place + 1)..].Select(rejected => (chosen, rejected))),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
    }
}
