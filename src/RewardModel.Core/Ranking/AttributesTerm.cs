using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// A weight times (o - a)^2 of each output o and the answer's attribute a of the same name, a mean over all numbers that a list's answers were
/// rated with. It is a function of the outputs, of which the reward that all other terms see is a sum.
/// </summary>
/// <param name="weight">What it is multiplied with.</param>
/// <param name="names">Of the outputs, in their order.</param>
internal sealed class AttributesTerm(double weight, IReadOnlyList<string> names)
{
    /// <summary>The name by which options and logs call it.</summary>
    public const string Name = "attributes";

    /// <summary>Whether an answer has an attribute of one of the names.</summary>
    public bool IsIn(IReadOnlyList<IReadOnlyDictionary<string, double>>? ofAnswers) =>
        ofAnswers?.Any(ofAnswer => names.Any(ofAnswer.ContainsKey)) == true;

    /// <summary>The weighted sum over the lists.</summary>
    /// <param name="outputs_NO">[N, O], float32.</param>
    /// <param name="targets">What is known of the lists.</param>
    /// <returns>A scalar, float32; 0 where no answer has an attribute of these names.</returns>
    public Tensor Sum(Tensor outputs_NO, RankingTargets targets)
    {
        var (values_NO, weights_NO) = targets.Rated(names);
        return outputs_NO.sub(values_NO).square().mul(weights_NO).sum().mul(weight);
    }

    /// <summary>The mean of one list as a number, in float64, not weighted; 0 where it has none of these attributes.</summary>
    /// <param name="outputs">Of each answer what the outputs give, finite.</param>
    /// <param name="list">What is known of them.</param>
    public double OfList(IReadOnlyList<IReadOnlyList<float>> outputs, RankingList list)
    {
        var (sum, count) = (0.0, 0);
        for (var answer = 0; answer < outputs.Count; answer++)
            foreach (var (output, value) in outputs[answer].Zip(names.Select(list.AttributeOf(answer))))
                if (value is { } rating)
                {
                    sum += (output - rating) * (output - rating);
                    count++;
                }
        return count == 0 ? 0 : weight * sum / count;
    }
}
