using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;
using static RewardModel.Tests.Compat.Values;
using static TorchSharp.torch;

namespace RewardModel.Tests.Compat;

public sealed class OpTests
{
    [Fact]
    public void An_operator_that_is_not_there_is_named() =>
        Assert.Equal("this libtorch has no operator 'aten::add.Tensors'", Message(() => new Op("add.Tensors").Call(Vector(1))));

    [Fact]
    public void Arguments_left_out_take_the_schemas_defaults()
    {
        AreEqual([3], new Op("add.Tensor").Call(Vector(1), Vector(2)));
        AreEqual([3], new Op("add.Tensor").Call(Vector(1), Vector(2), default));
        AreEqual([5], new Op("add.Tensor").Call(Vector(1), Vector(2), 2L));
    }

    [Fact]
    public void An_argument_without_a_default_must_be_given() =>
        Assert.Equal(
            "aten::add.Tensor: argument 'other' has no default and must be given",
            Assert.Throws<ExternalException>(() => new Op("add.Tensor").Call(Vector(1))).Message);

    [Fact]
    public void Arguments_of_another_kind_are_named()
    {
        Assert.Equal("aten::exp: argument 'self' is a number, expected Tensor", Message(() => new Op("exp").Call(1.0)));
        Assert.Equal("aten::exp: argument 'self' is none, expected Tensor", Message(() => new Op("exp").Call(Arg.None)));
        Assert.Equal(
            "aten::cumsum: argument 'dim' is a boolean, expected int", Message(() => new Op("cumsum").Call(Vector(1), true)));
        Assert.Equal(
            "aten::view: argument 'size' is tensors, expected int[]",
            Message(() => new Op("view").Call(Vector(1), new[] { Vector(1) })));
        Assert.Equal("aten::exp: 2 arguments, expected at most 1", Message(() => new Op("exp").Call(Vector(1), Vector(1))));
    }

    [Fact]
    public void More_results_than_expected_are_refused() =>
        Assert.Equal("aten::max.dim: 2 results, room for 1", Message(() => new Op("max.dim").Call(Vector(1), 0L)));

    [Fact]
    public void Long_lists_of_integers_and_tensors_arrive_whole()
    {
        var dims = Enumerable.Repeat(1L, 40).ToArray();
        Assert.Equal(dims, Vector(1).view(dims).shape);
        var many = Enumerable.Range(0, 200).Select(i => Vector(i)).ToArray();
        AreEqual([.. Enumerable.Range(0, 200).Select(i => (double)i)], cat(many));
    }

    [Fact]
    public void Text_arrives_as_utf8()
    {
        AreEqual([3], new Op("einsum").Call("i,i->", new[] { Vector(1), Vector(3) }));
        Assert.Contains("but found 'é'", Message(() => new Op("div.Tensor_mode").Call(Vector(1), Vector(1), "é")));
    }

    [Fact]
    public void Every_operator_the_library_calls_exists_in_this_libtorch() =>
        Assert.All(
            typeof(Aten).GetFields(BindingFlags.Static | BindingFlags.NonPublic),
            field => Assert.NotEqual(IntPtr.Zero, ((Op)field.GetValue(null)!).Handle));

    [Fact]
    public void A_call_allocates_its_result_and_nothing_else()
    {
        const int calls = 1000;
        const int tensorBytes = 32;
        var (x, y) = (Vector(1), Vector(2));
        var dims = new long[] { 1, 1 };
        x.add(y).view(dims).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++)
        {
            using var sum = x.add(y);
            using var product = sum * 2.0;
            using var view = product.view(dims);
        }
        Assert.Equal(3 * calls * tensorBytes, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Message(Action call) => Assert.Throws<ExternalException>(call).Message;
}
