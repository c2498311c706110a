using RewardModel.Training.Metrics;

namespace RewardModel.Tests.Training.Metrics;

public class PairLossTests
{
    [Theory]
    [InlineData(0.0, 0.6931471805599453)]
    [InlineData(1.0, 0.31326168751822286)]
    [InlineData(-1.0, 1.3132616875182228)]
    [InlineData(40.0, 4.248354255291589e-18)]
    [InlineData(-40.0, 40.0)]
    [InlineData(700.0, 9.859676543759770e-305)]
    [InlineData(1e30, 0.0)]
    [InlineData(-1e30, 1e30)]
    public void Log_sigmoid_is_exact_at_every_size(double difference, double expected) =>
        Assert.Equal(expected, PairLoss.LogSigmoid(difference), expected * 1e-15);

    [Theory]
    [InlineData(0.0, -0.5)]
    [InlineData(1.0, -0.7310585786300049)]
    [InlineData(-1.0, -0.2689414213699951)]
    [InlineData(1e30, -1.0)]
    [InlineData(-1e30, 0.0)]
    public void Sigmoid_lies_between_minus_1_and_0(double difference, double expected) =>
        Assert.Equal(expected, PairLoss.Sigmoid(difference), 1e-15);
}
