using RewardModel.Ranking;
using static TorchSharp.torch;

namespace RewardModel.Tests.Ranking;

public class RankingLossTests
{
    private static readonly float[] rewards = [0.3f, -1.2f, 2.5f, 0.1f, 0.1f, -4f, 7f];
    private static readonly double[][] scores = [[2, 1, 0], [1, 1, 0, 3]];

    [Fact]
    public void Names_are_these() => Assert.Equal(["log-sigmoid", "sigmoid"], RankingLoss.Names);

    [Fact]
    public void An_unknown_name_lists_the_known_ones()
    {
        var error = Assert.Throws<ArgumentException>(() => RankingLoss.ByName("hinge"));
        Assert.Equal("The loss 'hinge' is not known; expected one of: log-sigmoid, sigmoid. (Parameter 'name')", error.Message);
    }

    [Theory]
    [InlineData("log-sigmoid", LossNormalization.PerList)]
    [InlineData("log-sigmoid", LossNormalization.PerPair)]
    [InlineData("sigmoid", LossNormalization.PerList)]
    [InlineData("sigmoid", LossNormalization.PerPair)]
    public void Value_and_gradient_equal_the_closed_form(string name, LossNormalization normalization)
    {
        using var scope = NewDisposeScope();
        using var pairs = RankingPairs.Of(scores, normalization);
        var x = tensor(rewards).requires_grad_();
        var loss = RankingLoss.ByName(name).Sum(x, pairs);
        loss.backward();
        using var gradient = x.grad!.data<float>();

        var (expected, expectedGradient) = ClosedForm(name, normalization);
        // Eight pairs, two roundings of each.
        Numbers.AssertEqualButForRounding([(float)expected], [loss.item<float>()], units: 4);
        Numbers.AssertEqualButForRounding([.. expectedGradient.Select(value => (float)value)], gradient.ToArray(), units: 4);
    }

    [Theory]
    [InlineData("log-sigmoid", 2.0, 0.126928)]
    [InlineData("log-sigmoid", -500.0, 500.0)]
    [InlineData("log-sigmoid", 800.0, 0.0)]
    [InlineData("sigmoid", 2.0, -0.880797)]
    [InlineData("sigmoid", -800.0, 0.0)]
    public void The_number_of_one_pair_is_stable_and_equals_the_tensor(string name, double difference, double expected)
    {
        var loss = RankingLoss.ByName(name);
        Assert.Equal(expected, loss.OfPair(difference, scoreDifference: 1), 1e-6);
        using var scope = NewDisposeScope();
        using var pairs = RankingPairs.Of([[1.0, 0.0]]);
        Assert.Equal(expected, loss.Sum(tensor(new[] { (float)difference, 0f }), pairs).item<float>(), 1e-5);
    }

    [Fact]
    public void Without_pairs_the_sum_is_zero()
    {
        using var scope = NewDisposeScope();
        using var pairs = RankingPairs.Of([[1.0, 1.0], [5.0]]);
        Assert.Equal(0f, new LogSigmoidLoss().Sum(tensor(new[] { 1f, 2f, 3f }), pairs).item<float>());
    }

    private static (double Loss, double[] Gradient) ClosedForm(string name, LossNormalization normalization)
    {
        var gradient = new double[rewards.Length];
        double sum = 0;
        var first = 0;
        foreach (var list in scores)
        {
            var listPairs = RankingPairs.CountOf(list);
            for (var i = 0; i < list.Length; i++)
                for (var j = 0; j < list.Length; j++)
                {
                    if (list[i] <= list[j])
                        continue;
                    var weight = normalization == LossNormalization.PerList ? 1.0 / listPairs : 1;
                    var probability = 1 / (1 + Math.Exp(-(rewards[first + i] - (double)rewards[first + j])));
                    var slope = name == "sigmoid" ? -probability * (1 - probability) : probability - 1;
                    sum += weight * (name == "sigmoid" ? -probability : -Math.Log(probability));
                    gradient[first + i] += weight * slope;
                    gradient[first + j] -= weight * slope;
                }
            first += list.Length;
        }
        return (sum, gradient);
    }
}
