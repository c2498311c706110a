using TorchSharp;
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
            Assert.Same(scope, CurrentDisposeScope);
            within = Vector(2);
            sum = before + within;
            Assert.Equal(2, scope.DisposablesCount);
            Assert.True(scope.Contains(sum));
        }
        Assert.True(within.IsInvalid);
        Assert.True(sum.IsInvalid);
        Assert.False(before.IsInvalid);
        Assert.Null(CurrentDisposeScope);
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
            moved = scope.MoveToOuter(Vector(1));
            detached = Vector(2).DetachFromDisposeScope();
            Assert.Equal(0, scope.DisposablesCount);
        }
        AreEqual([1], moved);
        AreEqual([2], detached);
    }

    [Fact]
    public void Moved_to_another_scope_it_belongs_to_that_one()
    {
        using var outer = NewDisposeScope();
        var anchor = Vector(0);
        using var inner = NewDisposeScope();
        var first = Vector(1).MoveToOtherDisposeScope(outer);
        var second = Vector(1).MoveToOtherDisposeScope(anchor);
        var third = inner.MoveToOther(outer, Vector(1));
        var fourth = Vector(1);
        inner.MoveToOther(outer, [fourth]);
        inner.MoveToOuter(Vector(1), Vector(2));
        inner.DisposeEverything();
        Assert.Equal(7, outer.DisposablesCount);
        Assert.All([first, second, third, fourth], tensor => Assert.True(outer.Contains(tensor)));
    }

    [Fact]
    public void Everything_but_what_is_kept()
    {
        using var scope = NewDisposeScope();
        var kept = Vector(1);
        var gone = Vector(2);
        Assert.Same(kept, scope.DisposeEverythingBut(kept));
        Assert.True(gone.IsInvalid);
        Assert.Equal([kept], scope.DisposablesView);
        var second = Vector(3);
        scope.DisposeEverythingBut(kept, second);
        scope.DisposeEverythingBut(new List<IDisposable> { second });
        Assert.True(kept.IsInvalid);
        Assert.False(second.IsInvalid);
    }

    [Fact]
    public void Attaching_moves_from_the_scope_before()
    {
        using var scope = NewDisposeScope();
        using var inner = NewDisposeScope();
        var x = Vector(1);
        scope.Attach(x);
        scope.Attach(Vector(2), Vector(3));
        Assert.Single(scope.Attach(new List<IDisposable> { Vector(4) }));
        Assert.Equal(0, inner.DisposablesCount);
        Assert.Equal(4, scope.DisposablesCount);
        Assert.Same(x, scope.Detach(x));
        scope.Detach(scope.DisposablesView);
        Assert.Equal(0, scope.DisposablesCount);
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
        var result = WrappedTensorDisposeScope(() => (Vector(1) + 1) * 3);
        AreEqual([6], result);
        Assert.Equal([result], scope.DisposablesView);
    }

    [Fact]
    public void Scopes_closed_out_of_order_leave_the_right_one_current()
    {
        var outer = NewDisposeScope();
        var inner = NewDisposeScope();
        outer.Dispose();
        Assert.Same(inner, CurrentDisposeScope);
        inner.Dispose();
        Assert.Null(CurrentDisposeScope);
        Assert.Throws<ObjectDisposedException>(() => inner.Attach(Vector(1)));
    }
}
