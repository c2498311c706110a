using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using RewardModel.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests.Kernels;

/// <summary>libtorch's C interface: every function is there, and operators are called as their schemas say.</summary>
[Collection(nameof(RunsAlone))]
public class LibTorchTests
{
    [Fact]
    public void Every_function_that_is_called_is_there()
    {
        var library = NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
        Assert.All(LibTorch.Functions, name => Assert.True(NativeLibrary.TryGetExport(library, name, out _), name));
        // No other one is.
        var pointers = typeof(LibTorch).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .Where(field => field.FieldType.IsFunctionPointer);
        Assert.Equal(LibTorch.Functions.Length, pointers.Count());
    }

    [Fact]
    public void Arguments_of_every_type_arrive_as_they_are()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 3f, -1, 2 });
        // Tensor and double tensors; lists and whole numbers.
        Assert.Equal([6f, 1, -4], Values(Single(new OperatorCall("aten::mul", "Tensor").Tensor(x).Tensor(tensor(new[] { 2f, -1, -2 })))));
        Assert.Equal([3f, -1, 2, 5], Values(Single(new OperatorCall("aten::cat").Tensors([x, tensor(new[] { 5f })]).Int(-1))));
        // Absent and present tensors.
        Assert.Equal(
            [1f, -1, 1],
            Values(Single(new OperatorCall("aten::clamp", "Tensor").Tensor(x).OptionalTensor(null).OptionalTensor(tensor(1f)))));
        // Yes and no, of which only one gives this order.
        Assert.Equal([3f, 2, -1], Values(new OperatorCall("aten::sort").Tensor(x).Int(0).Bool(true).Call(2)[0]));
        Assert.Equal([-1f, 2, 3], Values(new OperatorCall("aten::sort").Tensor(x).Int(0).Bool(false).Call(2)[0]));
        // Absent and present whole numbers: without one it flattens.
        OperatorCall Repeat(long? dimension) =>
            new OperatorCall("aten::repeat_interleave", "self_int").Tensor(x.view(1, 3)).Int(2).OptionalInt(dimension);
        Assert.Equal([1, 6], Single(Repeat(1)).shape);
        Assert.Equal([2, 3], Single(Repeat(0)).shape);
        Assert.Equal([6], Single(Repeat(null)).shape);
        // Several whole numbers, types and text.
        Assert.Equal([2f, -1, 3], Values(Single(new OperatorCall("aten::flip").Tensor(x.view(1, 3)).Ints(0, 1))));
        Assert.Equal(
            [BitConverter.SingleToInt32Bits(3), BitConverter.SingleToInt32Bits(-1), BitConverter.SingleToInt32Bits(2)],
            Single(new OperatorCall("aten::view", "dtype").Tensor(x).Type(ScalarType.Int32)).data<int>().ToArray());
        Assert.Equal(
            Values(x.gelu(TorchSharp.Modules.GELU.Approximate.tanh)), Values(Single(new OperatorCall("aten::gelu").Tensor(x).Text("tanh"))));
        Assert.Equal(Values(x.gelu()), Values(Single(new OperatorCall("aten::gelu").Tensor(x).Text("none"))));
        // Numbers.
        Assert.Equal([0f, 0, 0], Values(Single(new OperatorCall("aten::dropout").Tensor(x).Double(1).Bool(true))));
        Assert.Equal(
            [3f, -7, 2],
            Values(Single(new OperatorCall("aten::nan_to_num").Tensor(tensor(new[] { 3f, float.NaN, 2 })).OptionalDouble(-7))));
        Assert.Equal([0f], Values(Single(new OperatorCall("aten::nan_to_num").Tensor(tensor(new[] { float.NaN })).OptionalDouble(null))));
    }

    [Fact]
    public void Attention_of_libtorch_for_the_CPU_equals_its_definition()
    {
        using var scope = NewDisposeScope();
        Tensor q = rand(2, 3, 5, 8), k = rand(2, 3, 5, 8), v = rand(2, 3, 5, 8);
        var results = new OperatorCall("aten::_scaled_dot_product_flash_attention_for_cpu")
            .Tensor(q).Tensor(k).Tensor(v).Double(0).Bool(false).OptionalTensor(null).OptionalDouble(0.3).Call(2);
        var scores = q.mul(0.3).view(6, 5, 8).bmm(k.view(6, 5, 8).transpose(1, 2));
        var expected = scores.softmax(-1).bmm(v.view(6, 5, 8));
        Assert.InRange(expected.sub(results[0].reshape(6, 5, 8)).abs().max().item<float>(), 0, 1e-6);
        Assert.Equal([2, 3, 5], results[1].shape);
        Assert.InRange(scores.logsumexp(-1).sub(results[1].reshape(6, 5)).abs().max().item<float>(), 0, 1e-6);
    }

    [Fact]
    public void What_fails_names_the_operator()
    {
        using var scope = NewDisposeScope();
        var unknown = Assert.Throws<ExternalException>(() => new OperatorCall("aten::no_such_operator").Call(0));
        Assert.Equal(
            "libtorch's operator aten::no_such_operator failed; the error stream says why.", unknown.Message);
        Assert.Throws<ExternalException>(() => new OperatorCall("aten::mm").Tensor(ones(2, 3)).Tensor(ones(2, 3)).Call(1));
    }

    [Fact]
    public void Calls_leave_nothing_behind()
    {
        const int mebibyte = 1 << 18;
        void Call()
        {
            using var scope = NewDisposeScope();
            // 8 MiB and their sum.
            var sum = Single(new OperatorCall("aten::cat").Tensors([ones(4 * mebibyte), ones(4 * mebibyte)]).Int(0));
            new OperatorCall("aten::clamp", "Tensor").Tensor(sum).OptionalTensor(tensor(1f)).OptionalTensor(tensor(2f)).Call(1);
            try
            {
                new OperatorCall("aten::mm").Tensor(sum).Tensor(sum).Call(1);
            }
            catch (ExternalException)
            {
            }
        }

        for (var i = 0; i < 3; i++)
            Call();
        // Without what earlier tests left to the finalizer.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TensorMemory.ReleaseFree();
        var (tensors, memory) = (Tensor.TotalCount, ResidentMebibytes());
        for (var i = 0; i < 20; i++)
            Call();
        TensorMemory.ReleaseFree();
        Assert.Equal(tensors, Tensor.TotalCount);
        // A single one of the arguments that stayed would make 80.
        Assert.InRange(ResidentMebibytes() - memory, -1000, 40);
    }

    private static Tensor Single(OperatorCall call) => call.Call(1)[0];

    private static long ResidentMebibytes()
    {
        var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmRSS", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private static float[] Values(Tensor tensor)
    {
        using var accessor = tensor.contiguous().data<float>();
        return accessor.ToArray();
    }
}
