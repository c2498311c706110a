namespace RewardModel.Training.Metrics;

/// <summary>
/// The 95 % interval of a share of right pairs, where pairs of one prompt depend on each other: Wilson's score interval (Journal of the
/// American Statistical Association 22, 1927) for as many independent pairs as would have the variance that the shares of the prompts show
/// (Kish, Survey Sampling, 1965: the effective sample size of clusters).
/// </summary>
internal static class AccuracyInterval
{
    private const double z = 1.959963984540054;

    /// <param name="prompts">
    /// Of each prompt how many pairs are right, halves for equal rewards, and how many there are, at least one.
    /// </param>
    /// <returns>NaN without prompts.</returns>
    public static (double Low, double High) Of(IReadOnlyCollection<(double Right, long Pairs)> prompts)
    {
        var sums = new PromptSums();
        foreach (var (right, pairs) in prompts)
            sums.Add(right, pairs);
        return Of(sums);
    }

    /// <param name="prompts">The sums over prompts.</param>
    /// <returns>NaN without prompts.</returns>
    public static (double Low, double High) Of(in PromptSums prompts)
    {
        if (prompts.Count == 0)
            return (double.NaN, double.NaN);
        var share = prompts.Right / prompts.Pairs;
        var effective = EffectiveSize(prompts, share);
        var centre = (share + z * z / (2 * effective)) / (1 + z * z / effective);
        var half = z / (1 + z * z / effective) * Math.Sqrt(share * (1 - share) / effective + z * z / (4 * effective * effective));
        return (Math.Max(0, centre - half), Math.Min(1, centre + half));
    }

    private static double EffectiveSize(in PromptSums prompts, double share)
    {
        // One prompt says nothing of the others, and where all pairs are right, or all wrong, there is no spread to see.
        var binomial = share * (1 - share);
        if (prompts.Count == 1 || binomial == 0)
            return prompts.Count;
        // The sum of (right - share pairs)^2, whose sums are whole numbers and quarters, so exact.
        var squares = Math.Max(0, prompts.RightRight - 2 * share * prompts.RightPairs + share * share * prompts.PairsPairs);
        var variance = prompts.Count / (prompts.Count - 1.0) * squares / (prompts.Pairs * prompts.Pairs);
        return Math.Clamp(binomial / variance, 1, prompts.Pairs);
    }
}

/// <summary>What the interval has to know of any number of prompts.</summary>
internal struct PromptSums
{
    /// <summary>How many prompts there are.</summary>
    public int Count { get; private set; }

    /// <summary>The right pairs of all.</summary>
    public double Right { get; private set; }

    /// <summary>The pairs of all.</summary>
    public double Pairs { get; private set; }

    /// <summary>The sum of right pairs squared.</summary>
    public double RightRight { get; private set; }

    /// <summary>The sum of right pairs times pairs.</summary>
    public double RightPairs { get; private set; }

    /// <summary>The sum of pairs squared.</summary>
    public double PairsPairs { get; private set; }

    /// <summary>Adds a prompt.</summary>
    /// <param name="right">How many of its pairs are right, halves for equal rewards.</param>
    /// <param name="pairs">How many there are, at least one.</param>
    public void Add(double right, double pairs)
    {
        Count++;
        Right += right;
        Pairs += pairs;
        RightRight += right * right;
        RightPairs += right * pairs;
        PairsPairs += pairs * pairs;
    }
}
