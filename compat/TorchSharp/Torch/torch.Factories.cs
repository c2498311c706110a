namespace TorchSharp;

public static partial class torch
{
    private static ScalarType default_dtype = ScalarType.Float32;
    private static Device default_device = CPU;

    public static Tensor zeros_like(
        Tensor input, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        Created(Aten.zeros_like.Call(input, dtype ?? input.dtype, Arg.None, Place(device ?? input.device)), requires_grad, names);

    public static Tensor ones_like(
        Tensor input, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        Created(Aten.ones_like.Call(input, dtype ?? input.dtype, Arg.None, Place(device ?? input.device)), requires_grad, names);

    public static Tensor empty_like(
        Tensor input, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        Created(Aten.empty_like.Call(input, dtype ?? input.dtype, Arg.None, Place(device ?? input.device)), requires_grad, names);

    public static Tensor full_like(
        Tensor input, Scalar value, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        Created(Aten.full_like.Call(input, value, dtype ?? input.dtype, Arg.None, Place(device ?? input.device)), requires_grad, names);

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        Created(Aten.arange.Call(stop, dtype, Arg.None, Place(device)), requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        Created(Aten.arange_start.Call(start, stop, dtype, Arg.None, Place(device)), requires_grad);

    public static Tensor arange(
        Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        Created(Aten.arange_start_step.Call(start, stop, step, dtype, Arg.None, Place(device)), requires_grad);

    public static Tensor eye(
        long rows, long columns = -1, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        Created(
            Aten.eye_m.Call(rows, columns < 0 ? rows : columns, dtype ?? default_dtype, Arg.None, Place(device)), requires_grad, names);

    public static void set_default_dtype(ScalarType dtype) => default_dtype = dtype;

    public static ScalarType get_default_dtype() => default_dtype;

    public static void set_default_device(Device device) => default_device = device;

    public static void set_default_device(string device) => set_default_device(new Device(device));

    public static Device get_default_device() => default_device;

    private static Device Place(Device device) => Usable(device ?? default_device);

    // Dimension names are part of TorchSharp's signatures; nothing here carries them.
    private static Tensor Created(Tensor tensor, bool requires_grad, string[] names = null)
    {
        if (names is not null)
            throw new NotSupportedException("dimension names are not supported: leave out the argument 'names'");
        if (requires_grad)
            tensor.requires_grad = true;
        return tensor;
    }
}
