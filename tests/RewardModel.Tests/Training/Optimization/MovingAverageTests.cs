using RewardModel.Training.Optimization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training.Optimization;

public class MovingAverageTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.999)]
    public void It_is_the_mean_of_all_steps_weighted_by_powers_of_the_decay(double decay)
    {
        using var parameter = new Parameter(tensor(new float[] { 7, -3 }), requires_grad: true);
        using var average = new MovingAverage([("w", parameter)], decay);
        var found = average.State().Single().Tensor;
        Assert.Equal([7f, -3f], found.data<float>().ToArray());
        var steps = new List<double[]>();
        for (var step = 1; step <= 300; step++)
        {
            float[] weights = [(float)Math.Sin(step), 100 + 1f / step];
            using (no_grad())
            using (var values = tensor(weights))
                parameter.copy_(values);
            average.Update(step);
            steps.Add([.. weights.Select(weight => (double)weight)]);
            if (step is not (1 or 2 or 17 or 300))
                continue;
            double[] shares = [.. Enumerable.Range(1, step).Select(i => Math.Pow(decay, step - i))];
            for (var i = 0; i < 2; i++)
            {
                var expected = steps.Zip(shares, (values, share) => values[i] * share).Sum() / shares.Sum();
                Assert.Equal(expected, found.data<float>()[i], 3e-6 * Math.Max(1, Math.Abs(expected)));
            }
        }
        Assert.Equal([(float)steps[^1][0], (float)steps[^1][1]], parameter.data<float>().ToArray());
    }

    [Fact]
    public void Weights_that_stay_are_their_own_average_to_the_bit()
    {
        using var parameter = new Parameter(tensor(new[] { 0.1f, 3e7f }), requires_grad: true);
        using var average = new MovingAverage([("w", parameter)], 0.999);
        for (var step = 1; step <= 5000; step++)
            average.Update(step);
        Assert.Equal([0.1f, 3e7f], average.State().Single().Tensor.data<float>().ToArray());
    }

    [Fact]
    public void In_the_model_for_a_while_it_leaves_the_weights_as_they_were()
    {
        using var parameter = new Parameter(tensor(new[] { 1f }), requires_grad: true);
        using var average = new MovingAverage([("w", parameter)], 0.5);
        average.Update(1);
        using (no_grad())
            parameter.fill_(4);
        average.Update(2);
        average.Exchange();
        Assert.Equal(3f, parameter.item<float>());
        average.Exchange();
        Assert.Equal((4f, 3f), (parameter.item<float>(), average.State().Single().Tensor.item<float>()));
        average.CopyToParameters();
        Assert.Equal(3f, parameter.item<float>());
    }
}
