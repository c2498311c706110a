using RewardModel.Scoring;

namespace RewardModel.Tests.Training;

/// <summary>Gradients of two ways to compute the same loss.</summary>
internal static class TakenGradients
{
    /// <summary>Those of all trained parameters that have one, by their names; they are 0 afterwards.</summary>
    public static Dictionary<string, float[]> Of(RewardTransformer model)
    {
        var gradients = model.TrainedParameters.Where(pair => pair.Parameter.grad is not null).ToDictionary(pair => pair.Name, pair =>
        {
            using var data = pair.Parameter.grad!.contiguous().data<float>();
            return data.ToArray();
        });
        Assert.NotEmpty(gradients);
        model.zero_grad();
        return gradients;
    }

    /// <summary>Of each parameter by no more than the rounding of sums in another order, in parts of its largest element.</summary>
    public static void AssertEqual(Dictionary<string, float[]> expected, Dictionary<string, float[]> found)
    {
        Assert.Equal(expected.Keys, found.Keys);
        Assert.All(expected, pair => Assert.InRange(
            Numbers.LargestDifference(pair.Value, found[pair.Key]) / Math.Max(1e-2, pair.Value.Max(Math.Abs)), 0, 2e-5));
    }
}
