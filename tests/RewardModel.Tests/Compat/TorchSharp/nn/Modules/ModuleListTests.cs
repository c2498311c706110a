using TorchSharp.Modules;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ModuleListTests
{
    [Fact]
    public void It_is_a_list_whose_names_are_its_indices()
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
