using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ModuleListTests
{
    [Fact]
    public void Its_modules_come_in_order_and_are_named_by_it()
    {
        var (first, second) = (new Doubling(), new Doubling());
        using var list = nn.ModuleList(first, second);
        Assert.Equal([first, second], list);
        Assert.Equal(["0.scale", "1.scale"], list.named_parameters().Select(named => named.name));
        Assert.Equal("ModuleList", list.GetName());
    }
}
