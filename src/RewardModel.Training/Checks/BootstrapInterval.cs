using RewardModel.Training.Data;

namespace RewardModel.Training.Checks;

/// <summary>
/// The 95 % interval of a share of right pairs by the bootstrap over prompts (Efron, "Bootstrap methods: another look at the jackknife",
/// 1979): prompts are drawn with replacement, each with all of its pairs, which depend on each other.
/// </summary>
internal static class BootstrapInterval
{
    private const int sampleCount = 1000;

    /// <summary>More prompts are drawn in as many groups, which gives nearly the same interval in bounded time.</summary>
    private const int mostGroups = 1000;

    /// <param name="prompts">Of each prompt how many pairs are right, halves for equal ones, and how many there are.</param>
    /// <param name="seed">Decides what is drawn.</param>
    /// <returns>0 and 1 where there is one prompt, which says nothing of others, or none.</returns>
    public static (double Low, double High) Of(IReadOnlyList<(double Right, long Pairs)> prompts, ulong seed)
    {
        var random = new SplitMix64(seed);
        (double Right, long Pairs)[] shuffled = [.. prompts];
        random.Shuffle<(double, long)>(shuffled);
        var groups = shuffled.Select((prompt, i) => (prompt, Group: i % mostGroups)).GroupBy(pair => pair.Group, pair => pair.prompt)
            .Select(group => (Right: group.Sum(prompt => prompt.Right), Pairs: group.Sum(prompt => prompt.Pairs))).ToArray();
        if (groups.Length < 2)
            return (0, 1);
        var shares = new double[sampleCount];
        for (var sample = 0; sample < sampleCount; sample++)
        {
            var (right, pairs) = (0.0, 0L);
            for (var draw = 0; draw < groups.Length; draw++)
            {
                var group = groups[random.NextBelow(groups.Length)];
                (right, pairs) = (right + group.Right, pairs + group.Pairs);
            }
            shares[sample] = right / pairs;
        }
        Array.Sort(shares);
        return (shares[(int)(0.025 * sampleCount)], shares[(int)(0.975 * sampleCount)]);
    }
}
