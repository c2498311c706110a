using BestOfN;

namespace RlhfLoop;

/// <summary>What answers are like, in the mean.</summary>
/// <param name="Reward">Their rewards.</param>
/// <param name="Exact">The share of sorted answers.</param>
/// <param name="PairsInOrder">The share of pairs in order.</param>
/// <param name="Kl">The KL divergence of what draws them from the reference policy, in nats an answer.</param>
internal sealed record Figures(double Reward, double Exact, double PairsInOrder, double Kl)
{
    /// <summary>The best by reward of n of the answers to each prompt, in the mean over all sets of n; with n = 1 all answers.</summary>
    public static Figures OfBest(int n, Samples samples, float[][] rewards)
    {
        var (reward, exact, pairs) = (0.0, 0.0, 0.0);
        for (var i = 0; i < rewards.Length; i++)
        {
            TrueQuality[] qualities = [.. samples.Answers[i].Select(answer => TrueQuality.Of(samples.Prompts[i], answer))];
            reward += BestOfNEstimate.Expected(rewards[i], [.. rewards[i].Select(one => (double)one)], n) / rewards.Length;
            exact += BestOfNEstimate.Expected(rewards[i], [.. qualities.Select(quality => quality.IsExact ? 1.0 : 0)], n) / rewards.Length;
            pairs += BestOfNEstimate.Expected(rewards[i], [.. qualities.Select(quality => quality.PairsInOrder)], n) / rewards.Length;
        }
        return new Figures(reward, exact, pairs, BestOfNEstimate.KlDivergence(n));
    }

    public static Figures Mean(IReadOnlyList<Figures> all) => new(
        all.Average(one => one.Reward), all.Average(one => one.Exact), all.Average(one => one.PairsInOrder), all.Average(one => one.Kl));
}
