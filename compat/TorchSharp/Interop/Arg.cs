using System.Text;

namespace TorchSharp;

/// <summary>
/// An argument of an operator. Everything an operator takes converts to it, so that a call reads like the operator's schema and
/// allocates nothing.
/// </summary>
internal readonly unsafe struct Arg
{
    private readonly ValueKind kind;
    private readonly int count;
    private readonly long content;

    /// <summary>The tensor, array, text or generator behind the argument: must stay alive during the call.</summary>
    internal readonly object Owner;

    private Arg(ValueKind kind, long content = 0, int count = 0, object owner = null)
    {
        this.kind = kind;
        this.content = content;
        this.count = count;
        Owner = owner;
    }

    /// <summary>An absent optional argument.</summary>
    internal static Arg None => new(ValueKind.None);

    public static implicit operator Arg(torch.Tensor tensor) =>
        tensor is null ? None : new(ValueKind.Tensor, tensor.Handle, owner: tensor);

    public static implicit operator Arg(torch.Tensor[] tensors) => new(ValueKind.TensorList, count: tensors.Length, owner: tensors);

    public static implicit operator Arg(long value) => new(ValueKind.Int, value);

    public static implicit operator Arg(double value) => new(ValueKind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Arg(bool value) => new(ValueKind.Bool, value ? 1 : 0);

    public static implicit operator Arg(long[] values) =>
        values is null ? None : new(ValueKind.IntList, count: values.Length, owner: values);

    public static implicit operator Arg(string text) =>
        text is null ? None : new(ValueKind.String, count: Encoding.UTF8.GetByteCount(text), owner: text);

    public static implicit operator Arg(torch.ScalarType? type) => type is null ? None : new(ValueKind.Int, (int)type.Value);

    public static implicit operator Arg(torch.Device device) =>
        device is null ? None : new(ValueKind.Device, (int)device.type, device.index);

    public static implicit operator Arg(torch.Generator generator) =>
        generator is null ? None : new(ValueKind.Generator, generator.Handle, owner: generator);

    public static implicit operator Arg(Scalar scalar) => scalar is null ? None : scalar.ToArg();

    /// <summary>How many 8-byte words of a call's scratch memory the argument's list or text takes.</summary>
    internal int ScratchWords => kind switch
    {
        ValueKind.IntList or ValueKind.TensorList => count,
        ValueKind.String => (count + sizeof(long) - 1) / sizeof(long),
        _ => 0,
    };

    /// <summary>Writes the native form, with lists and text copied to <paramref name="scratch"/>.</summary>
    internal void Write(Value* value, long* scratch)
    {
        value->Kind = kind;
        value->Count = count;
        value->Integer = content;
        switch (kind)
        {
            case ValueKind.IntList:
                ((long[])Owner).CopyTo(new Span<long>(scratch, count));
                value->Pointer = scratch;
                break;
            case ValueKind.TensorList:
                var tensors = (torch.Tensor[])Owner;
                for (var i = 0; i < tensors.Length; i++)
                    scratch[i] = tensors[i] is null ? 0 : tensors[i].Handle;
                value->Pointer = scratch;
                break;
            case ValueKind.String:
                Encoding.UTF8.GetBytes((string)Owner, new Span<byte>(scratch, count));
                value->Pointer = scratch;
                break;
        }
    }
}
