using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class EmbeddingTests
{
    [Fact]
    public void It_gives_rows()
    {
        using var table = nn.Embedding(4, 2);
        nn.init.uniform_(table.weight, 3, 4);
        Assert.Equal([.. Of(table.weight[2]), .. Of(table.weight[0])], Of(table.call(tensor(new long[] { 2, 0 }))));
        Assert.Equal([4L, 2], table.weight.shape);
    }

    [Fact]
    public void Padding_is_zero_and_learns_nothing()
    {
        using var table = nn.Embedding(3, 1, padding_idx: -1);
        AreEqual([0], table.weight[2]);
        table.call(tensor(new long[] { 2, 0, 2 })).sum().backward();
        AreEqual([1, 0, 0], table.weight.grad);
        Assert.Equal(
            "Embedding: max_norm, norm_type, scale_grad_by_freq and sparse are not supported",
            Assert.Throws<NotSupportedException>(() => nn.Embedding(3, 1, max_norm: 1)).Message);
    }
}
