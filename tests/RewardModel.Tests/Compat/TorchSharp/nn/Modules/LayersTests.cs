using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class LayersTests
{
    [Fact]
    public void Linear_starts_within_one_over_the_root_of_its_inputs()
    {
        using var layer = nn.Linear(100, 50);
        Assert.Equal([50L, 100], layer.weight.shape);
        Assert.Equal([50L], layer.bias.shape);
        Assert.InRange(layer.weight.abs().max().item<float>(), 0.099, 0.1);
        Assert.InRange(layer.bias.abs().max().item<float>(), 0.08, 0.1);
        using var plain = nn.Linear(3, 1, hasBias: false, dtype: ScalarType.Float64);
        Assert.Null(plain.bias);
        Assert.Equal(ScalarType.Float64, plain.weight.dtype);
    }

    [Fact]
    public void Linear_of_given_weights()
    {
        using var layer = nn.Linear(new Parameter(ones(1, 3)), new Parameter(ones(1)));
        AreEqual([7, 16], [2, 1], layer.call(Matrix()));
        layer.bias = null;
        AreEqual([6, 15], layer.forward(Matrix()));
        Assert.Equal(["weight"], layer.state_dict().Keys);
    }

    [Fact]
    public void Embedding_gives_rows()
    {
        using var table = nn.Embedding(4, 2);
        nn.init.uniform_(table.weight, 3, 4);
        Assert.Equal([.. Of(table.weight[2]), .. Of(table.weight[0])], Of(table.call(tensor(new long[] { 2, 0 }))));
        Assert.Equal([4L, 2], table.weight.shape);
    }

    [Fact]
    public void Embedding_of_padding_is_zero_and_learns_nothing()
    {
        using var table = nn.Embedding(3, 1, padding_idx: -1);
        AreEqual([0], table.weight[2]);
        table.call(tensor(new long[] { 2, 0, 2 })).sum().backward();
        AreEqual([1, 0, 0], table.weight.grad);
        Assert.Equal(
            "Embedding: max_norm, norm_type, scale_grad_by_freq and sparse are not supported",
            Assert.Throws<NotSupportedException>(() => nn.Embedding(3, 1, max_norm: 1)).Message);
    }

    [Fact]
    public void LayerNorm_normalises_then_scales()
    {
        using var norm = nn.LayerNorm(2, eps: 0);
        AreClose([-1, 1], norm.call(Vector(1, 3)));
        nn.init.constant_(norm.weight, 2);
        nn.init.constant_(norm.bias, 1);
        AreClose([-1, 3], norm.call(Vector(1, 3)));
        Assert.Equal(["weight"], nn.LayerNorm([2, 3], bias: false).state_dict().Keys);
        Assert.Empty(nn.LayerNorm(2, elementwise_affine: false).state_dict());
    }

    [Fact]
    public void Dropout_rests_in_evaluation()
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

    [Fact]
    public void ModuleList_is_a_list_whose_names_are_its_indices()
    {
        using var first = nn.Linear(1, 1, hasBias: false);
        using var second = nn.Linear(1, 1, hasBias: false);
        using var third = nn.Linear(1, 1, hasBias: false);
        var list = new ModuleList<Linear>(first);
        list.Add(third);
        list.Insert(1, second);
        Assert.Equal(["0.weight", "1.weight", "2.weight"], list.state_dict().Keys);
        Assert.Equal([first, second, third], list);
        Assert.Equal(3, list.Count);
        Assert.False(list.IsReadOnly);
        Assert.Same(second, list[1]);
        Assert.Equal(2, list.IndexOf(third));
        Assert.True(list.Remove(second));
        Assert.False(list.Remove(second));
        Assert.DoesNotContain(second, list);
        Assert.Same(third.weight, list.state_dict()["1.weight"]);
        list[0] = second;
        list.RemoveAt(1);
        list.append(first, third);
        list.extend([]);
        var copy = new Linear[3];
        list.CopyTo(copy, 0);
        Assert.Equal([second, first, third], copy);
        list.Clear();
        Assert.Empty(list.state_dict());
    }
}
