using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class ModuleForwardTests
{
    [Fact]
    public void Call_runs_the_hooks_and_forward_does_not()
    {
        using var doubling = new Doubling();
        var before = doubling.register_forward_pre_hook((_, input) => input + 1);
        var after = doubling.register_forward_hook((_, input, result) => result * input);
        AreEqual([2], doubling.forward(Vector(1)));
        AreEqual([8], doubling.call(Vector(1)));
        before.remove();
        AreEqual([2], doubling.call(Vector(1)));
        after.remove();
        AreEqual([6], doubling.call(Vector(3)));
    }

    [Fact]
    public void A_hook_that_gives_null_changes_nothing()
    {
        using var doubling = new Doubling();
        doubling.register_forward_pre_hook((_, _) => null!);
        doubling.register_forward_hook((_, _, _) => null!);
        AreEqual([6], doubling.call(Vector(3)));
    }

    private sealed class Doubling : nn.Module<Tensor, Tensor>
    {
        public Doubling()
            : base(nameof(Doubling))
        {
        }

        public override Tensor forward(Tensor input) => input * 2;
    }
}
