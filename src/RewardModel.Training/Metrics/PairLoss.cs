namespace RewardModel.Training.Metrics;

/// <summary>The loss of one pair, in float64, from r_w - r_l: the better answer's reward less the worse one's.</summary>
public static class PairLoss
{
    /// <summary>-log sigmoid(difference): Bradley and Terry's model; near -difference for very negative ones, never infinite.</summary>
    /// <param name="difference">r_w - r_l, finite.</param>
    public static double LogSigmoid(double difference) =>
        // log(1 + exp(-|d|)) + max(-d, 0): exp sees no positive number, so it cannot overflow.
        Log1P(Math.Exp(-Math.Abs(difference))) + Math.Max(-difference, 0);

    /// <summary>-sigmoid(difference): between -1 and 0.</summary>
    /// <param name="difference">r_w - r_l, finite.</param>
    public static double Sigmoid(double difference) => -1 / (1 + Math.Exp(-difference));

    /// <summary>log(1 + x) for x from 0 to 1 without losing small x (Goldberg, ACM Computing Surveys 23:1, 1991, theorem 4).</summary>
    private static double Log1P(double x)
    {
        var onePlusX = 1 + x;
        return onePlusX == 1 ? x : x * Math.Log(onePlusX) / (onePlusX - 1);
    }
}
