namespace RewardModel.Training.Metrics;

/// <summary>
/// The 95 % interval of a share of right pairs, where pairs of one prompt depend on each other: Wilson's score interval (Journal of the
/// American Statistical Association 22, 1927) for as many independent pairs as would have the variance that the shares of the prompts show
/// (Kish, Survey Sampling, 1965: the effective sample size of clusters).
/// </summary>
internal static class AccuracyInterval
{
    private const double z = 1.959963984540054;

    /// <param name="prompts">Of each prompt how many pairs are right, halves for equal rewards, and how many there are, at least one.</param>
    /// <returns>NaN without prompts.</returns>
    public static (double Low, double High) Of(IReadOnlyCollection<(double Right, long Pairs)> prompts)
    {
        if (prompts.Count == 0)
            return (double.NaN, double.NaN);
        double pairs = prompts.Sum(prompt => prompt.Pairs);
        var share = prompts.Sum(prompt => prompt.Right) / pairs;
        var effective = EffectiveSize(prompts, pairs, share);
        var centre = (share + z * z / (2 * effective)) / (1 + z * z / effective);
        var half = z / (1 + z * z / effective) * Math.Sqrt(share * (1 - share) / effective + z * z / (4 * effective * effective));
        return (Math.Max(0, centre - half), Math.Min(1, centre + half));
    }

    private static double EffectiveSize(IReadOnlyCollection<(double Right, long Pairs)> prompts, double pairs, double share)
    {
        // One prompt says nothing of the others, and where all pairs are right, or all wrong, there is no spread to see.
        var binomial = share * (1 - share);
        if (prompts.Count == 1 || binomial == 0)
            return prompts.Count;
        var squares = prompts.Sum(prompt => Math.Pow(prompt.Right - share * prompt.Pairs, 2));
        var variance = prompts.Count / (prompts.Count - 1.0) * squares / (pairs * pairs);
        return Math.Clamp(binomial / variance, 1, pairs);
    }
}
