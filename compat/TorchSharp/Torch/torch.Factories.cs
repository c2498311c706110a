namespace TorchSharp;

public static partial class torch
{
    private const ScalarType DefaultType = ScalarType.Float32;

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        Created(Aten.arange.Call(stop, dtype, Arg.None, Place(device)), requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        Created(Aten.arange_start.Call(start, stop, dtype, Arg.None, Place(device)), requires_grad);

    public static Tensor arange(
        Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        Created(Aten.arange_start_step.Call(start, stop, step, dtype, Arg.None, Place(device)), requires_grad);

    private static Device Place(Device device) => Usable(device ?? CPU);

    // Dimension names are part of TorchSharp's signatures; nothing here carries them.
    private static Tensor Created(Tensor tensor, bool requires_grad, string[] names = null)
    {
        if (names is not null)
            throw new NotSupportedException("dimension names are not supported: leave out the argument 'names'");
        if (requires_grad)
            tensor.requires_grad_();
        return tensor;
    }
}
