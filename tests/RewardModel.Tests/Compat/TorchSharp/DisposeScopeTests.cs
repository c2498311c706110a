using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class DisposeScopeTests
{
    [Fact]
    public void A_scope_disposes_what_was_created_in_it()
    {
        using var before = Vector(1);
        Tensor within, sum;
        using (var scope = NewDisposeScope())
        {
            within = Vector(2);
            sum = before + within;
            Assert.Equal(2, scope.DisposablesCount);
        }
        Assert.True(within.IsInvalid);
        Assert.True(sum.IsInvalid);
        Assert.False(before.IsInvalid);
    }

    [Fact]
    public void Moved_to_the_outer_scope_a_tensor_dies_with_that()
    {
        Tensor moved;
        using (NewDisposeScope())
        {
            using (NewDisposeScope())
                moved = Vector(1).MoveToOuterDisposeScope();
            Assert.False(moved.IsInvalid);
        }
        Assert.True(moved.IsInvalid);
    }

    [Fact]
    public void Moved_out_of_the_outermost_scope_or_detached_it_lives_on()
    {
        Tensor moved, detached;
        using (var scope = NewDisposeScope())
        {
            moved = Vector(1).MoveToOuterDisposeScope();
            detached = Vector(2).DetachFromDisposeScope();
            Assert.Equal(0, scope.DisposablesCount);
        }
        AreEqual([1], moved);
        AreEqual([2], detached);
    }

    [Fact]
    public void Without_a_scope_there_is_nothing_to_leave()
    {
        var x = Vector(1);
        Assert.Same(x, x.DetachFromDisposeScope());
        Assert.Same(x, x.MoveToOuterDisposeScope());
        AreEqual([1], x);
    }

    [Fact]
    public void A_disposed_tensor_leaves_its_scope()
    {
        using var scope = NewDisposeScope();
        Vector(1).Dispose();
        Assert.Equal(0, scope.DisposablesCount);
    }

    [Fact]
    public void Other_threads_have_scopes_of_their_own()
    {
        using var scope = NewDisposeScope();
        Tensor? elsewhere = null;
        var thread = new Thread(() => elsewhere = Vector(1));
        thread.Start();
        thread.Join();
        Assert.Equal(0, scope.DisposablesCount);
        elsewhere!.Dispose();
    }

    [Fact]
    public void Only_the_result_of_a_wrapped_function_survives()
    {
        using var scope = NewDisposeScope();
        AreEqual([6], WrappedTensorDisposeScope(() => (Vector(1) + 1) * 3));
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void Scopes_closed_out_of_order_leave_the_right_one_current()
    {
        using var outermost = NewDisposeScope();
        var outer = NewDisposeScope();
        var inner = NewDisposeScope();
        outer.Dispose();
        var first = Vector(1);
        Assert.Equal((0, 1), (outermost.DisposablesCount, inner.DisposablesCount));
        inner.Dispose();
        inner.Dispose();
        Assert.True(first.IsInvalid);
        _ = Vector(1);
        Assert.Equal(1, outermost.DisposablesCount);
    }
}
