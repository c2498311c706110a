using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace RewardModel.Tests.Compat;

public sealed class FunctionalTests
{
    [Fact]
    public void Linear_and_norm()
    {
        AreEqual([6, 15], F.linear(Matrix(), ones(1, 3)));
        AreEqual([7, 16], F.linear(Matrix(), ones(1, 3), ones(1)));
        AreClose([-1, 1, -1, 1], F.layer_norm(tensor(new float[,] { { 1, 3 }, { 5, 9 } }), [2], eps: 0));
        AreClose([-1, 3, -1, 3], F.layer_norm(tensor(new float[,] { { 1, 3 }, { 5, 9 } }), [2], Vector(2, 2), Vector(1, 1), 0));
    }

    [Fact]
    public void Logarithm_of_the_sigmoid() =>
        AreClose([-Math.Log(1 + Math.Exp(1)), -Math.Log(2), -Math.Log(1 + Math.Exp(-2))], F.logsigmoid(Vector(-1, 0, 2)));

    [Fact]
    public void Dropout_keeps_the_expectation_and_rests_outside_of_training()
    {
        var dropped = F.dropout(ones(1000), 0.5);
        Assert.Equal([0.0, 2], Of(dropped).Distinct().Order());
        var x = Vector(-1, 0, 2);
        AreEqual([-1, 0, 2], F.dropout(x, 0.5, training: false));
        F.dropout(x, 1, inplace: true);
        AreEqual([0, 0, 0], x);
    }
}
