using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary><c>enum ts_kind</c>.</summary>
internal enum ValueKind
{
    Default = 0,
    None = 1,
    Tensor = 2,
    Int = 3,
    Double = 4,
    Bool = 5,
    IntList = 6,
    TensorList = 7,
    String = 8,
    Device = 9,
    Generator = 10,
}

/// <summary><c>struct ts_value</c>: an argument or a result of an operator.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct Value
{
    [FieldOffset(0)]
    internal ValueKind Kind;

    [FieldOffset(4)]
    internal int Count;

    [FieldOffset(8)]
    internal long Integer;

    [FieldOffset(8)]
    internal void* Pointer;
}

/// <summary><c>struct ts_description</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorDescription
{
    internal long* Sizes;
    internal long* Strides;
    internal long NumElements;
    internal long ElementSize;
    internal int Dim;
    internal int DType;
    internal int DeviceType;
    internal int DeviceIndex;
    internal int RequiresGrad;
    internal int IsContiguous;
}
