using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

[Collection(nameof(RunsAlone))]
public sealed class TensorTests
{
    [Fact]
    public void A_disposed_tensor_is_invalid_and_says_so()
    {
        var x = Vector(1);
        x.Dispose();
        x.Dispose();
        Assert.True(x.IsInvalid);
        Assert.Equal("Tensor invalid -- empty handle.", Assert.Throws<InvalidOperationException>(() => x + 1).Message);
        Assert.Equal("(disposed tensor)", x.ToString());
    }

    [Fact]
    public void The_count_follows_creation_and_disposal()
    {
        CollectGarbage();
        var before = Tensor.TotalCount;
        var x = Vector(1);
        var y = x + 1;
        Assert.Equal(before + 2, Tensor.TotalCount);
        x.Dispose();
        y.Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Forgotten_tensors_are_freed_by_the_garbage_collector()
    {
        CollectGarbage();
        var before = Tensor.TotalCount;
        Forget();
        Assert.Equal(before + 100, Tensor.TotalCount);
        CollectGarbage();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Fifty_training_steps_leave_no_tensor_behind()
    {
        using var first = new Doubling();
        using var second = new Doubling();
        using var input = ones(16, 4);
        CollectGarbage();
        Step();
        var after1 = Tensor.TotalCount;
        for (var i = 0; i < 50; i++)
            Step();
        Assert.Equal(after1, Tensor.TotalCount);

        void Step()
        {
            using var scope = NewDisposeScope();
            var loss = second.call(first.call(input).relu()).sigmoid().mean();
            loss.backward();
            using (no_grad())
                foreach (var parameter in first.parameters().Concat(second.parameters()))
                    parameter.copy_(parameter - parameter.grad! * 0.1);
            first.zero_grad();
            second.zero_grad();
        }
    }

    private static void Forget()
    {
        for (var i = 0; i < 100; i++)
            _ = zeros(1);
    }

    private static void CollectGarbage()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
