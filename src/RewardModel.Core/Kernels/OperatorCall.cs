using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// A call of one of libtorch's operators by name, for those that TorchSharp doesn't have. Arguments are given in the order and by the types
/// of the operator's schema, keywords too. Optional ones at the end may be left out, those that only newer versions have among them.
/// </summary>
/// <param name="name">With its namespace, such as <c>aten::lerp</c>.</param>
/// <param name="overload">Such as <c>Tensor</c> of <c>aten::lerp.Tensor</c>; most operators have an empty one.</param>
internal sealed unsafe class OperatorCall(string name, string overload = "")
{
    // More than any operator has, and zeros, an absent optional's value, behind those that are given.
    private readonly ulong[] stack = new ulong[32];
    private int count;

    /// <summary>Of type Tensor.</summary>
    public OperatorCall Tensor(Tensor tensor) => Add(LibTorch.NewArgument(tensor));

    /// <summary>Of type Tensor?.</summary>
    public OperatorCall OptionalTensor(Tensor? tensor) => Optional(tensor is null ? null : LibTorch.NewArgument(tensor));

    /// <summary>Of type Tensor[].</summary>
    public OperatorCall Tensors(IReadOnlyCollection<Tensor> tensors) =>
        Add(LibTorch.NewArgument([.. tensors.Select(LibTorch.NewArgument)]));

    /// <summary>Of type int or SymInt.</summary>
    public OperatorCall Int(long value) => Add((ulong)value);

    /// <summary>Of type int[] or SymInt[].</summary>
    public OperatorCall Ints(params long[] values) => Add(LibTorch.NewArgument(Array.ConvertAll(values, value => (ulong)value)));

    /// <summary>Of type ScalarType.</summary>
    public OperatorCall Type(ScalarType type) => Add((ulong)type);

    /// <summary>Of type str.</summary>
    public OperatorCall Text(string text) => Add(LibTorch.NewArgument(Encoding.UTF8.GetBytes(text)));

    /// <summary>Of type int? or SymInt?.</summary>
    public OperatorCall OptionalInt(long? value) => Optional((ulong?)value);

    /// <summary>Of type float.</summary>
    public OperatorCall Double(double value) => Add(BitConverter.DoubleToUInt64Bits(value));

    /// <summary>Of type float?.</summary>
    public OperatorCall OptionalDouble(double? value) => Optional(value is { } number ? BitConverter.DoubleToUInt64Bits(number) : null);

    /// <summary>Of type bool.</summary>
    public OperatorCall Bool(bool value) => Add(value ? 1ul : 0);

    /// <summary>Makes the call, once.</summary>
    /// <param name="resultCount">Results of the schema, all of them tensors.</param>
    /// <exception cref="ExternalException">It failed; libtorch has written why to the error stream.</exception>
    public Tensor[] Call(int resultCount)
    {
        fixed (byte* nameBytes = Encoding.UTF8.GetBytes(name + '\0'), overloadBytes = Encoding.UTF8.GetBytes(overload + '\0'))
        fixed (ulong* values = stack)
            if (!LibTorch.CallOperator(nameBytes, overloadBytes, values))
                throw new ExternalException($"libtorch's operator {name} failed; the error stream says why.");
        // A handle is an at::Tensor*, as TorchSharp's tensors have it and release it.
        return [.. stack.Take(resultCount).Select(handle => TorchSharp.torch.Tensor.UnsafeCreateTensor((IntPtr)handle))];
    }

    private OperatorCall Optional(ulong? value) => Add(value is { } present ? LibTorch.NewOptionalArgument(present) : 0);

    private OperatorCall Add(ulong value)
    {
        stack[count++] = value;
        return this;
    }
}
