using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class DropoutTests
{
    [Fact]
    public void It_rests_in_evaluation()
    {
        using var dropout = nn.Dropout(1);
        AreEqual([0, 0], dropout.call(Vector(1, 2)));
        dropout.eval();
        AreEqual([1, 2], dropout.call(Vector(1, 2)));
        dropout.train();
        dropout.p = 0;
        dropout.inplace = true;
        AreEqual([1, 2], dropout.call(Vector(1, 2)));
        Assert.Equal(0.5, nn.Dropout().p);
    }
}
