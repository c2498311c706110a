namespace TorchSharp;

/// <summary>
/// A number or truth value, as operators take it beside tensors. Unlike TorchSharp's it is a managed value: it holds no native
/// memory, and <see cref="Dispose"/> does nothing.
/// </summary>
public sealed class Scalar : IDisposable
{
    private readonly long integer;
    private readonly double number;

    private Scalar(torch.ScalarType type, long value)
    {
        Type = type;
        integer = value;
    }

    private Scalar(torch.ScalarType type, double value)
    {
        Type = type;
        number = value;
    }

    internal torch.ScalarType Type { get; }

    public static implicit operator Scalar(bool value) => new(torch.ScalarType.Bool, value ? 1 : 0);

    public static implicit operator Scalar(byte value) => new(torch.ScalarType.Byte, value);

    public static implicit operator Scalar(sbyte value) => new(torch.ScalarType.Int8, value);

    public static implicit operator Scalar(short value) => new(torch.ScalarType.Int16, value);

    public static implicit operator Scalar(int value) => new(torch.ScalarType.Int32, value);

    public static implicit operator Scalar(long value) => new(torch.ScalarType.Int64, value);

    public static implicit operator Scalar(float value) => new(torch.ScalarType.Float32, value);

    public static implicit operator Scalar(double value) => new(torch.ScalarType.Float64, value);

    public void Dispose()
    {
    }

    internal Arg ToArg() => Type switch
    {
        torch.ScalarType.Bool => integer != 0,
        torch.ScalarType.Float32 or torch.ScalarType.Float64 => number,
        _ => integer,
    };
}
