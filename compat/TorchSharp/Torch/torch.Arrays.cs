namespace TorchSharp;

public static unsafe partial class torch
{
    public static Tensor tensor(bool scalar, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        FromArray([scalar], [], dtype, device, requires_grad);

    public static Tensor tensor(double scalar, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        FromArray([scalar], [], dtype, device, requires_grad);

    public static Tensor tensor(long scalar, ScalarType? dtype = null, Device device = null, bool requires_grad = false) =>
        FromArray([scalar], [], dtype, device, requires_grad);

    public static Tensor tensor(int scalar, Device device = null, bool requires_grad = false) =>
        FromArray([scalar], [], null, device, requires_grad);

    public static Tensor tensor(float scalar, Device device = null, bool requires_grad = false) =>
        FromArray([scalar], [], null, device, requires_grad);

    public static Tensor tensor(
        bool[] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(rawArray, [rawArray.Length], dtype, device, requires_grad, names);

    public static Tensor tensor(
        int[] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(rawArray, [rawArray.Length], dtype, device, requires_grad, names);

    public static Tensor tensor(
        float[] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(rawArray, [rawArray.Length], dtype, device, requires_grad, names);

    public static Tensor tensor(
        double[] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(rawArray, [rawArray.Length], dtype, device, requires_grad, names);

    public static Tensor tensor(
        IList<int> rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(AsArray(rawArray), [rawArray.Count], dtype, device, requires_grad, names);

    public static Tensor tensor(
        IList<int> rawArray, long rows, long columns, ScalarType? dtype = null, Device device = null, bool requires_grad = false,
        string[] names = null) =>
        FromArray(AsArray(rawArray), [rows, columns], dtype, device, requires_grad, names);

    public static Tensor tensor(
        IList<long> rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(AsArray(rawArray), [rawArray.Count], dtype, device, requires_grad, names);

    public static Tensor tensor(
        IList<long> rawArray, long rows, long columns, ScalarType? dtype = null, Device device = null, bool requires_grad = false,
        string[] names = null) =>
        FromArray(AsArray(rawArray), [rows, columns], dtype, device, requires_grad, names);

    public static Tensor tensor(
        IList<float> rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromArray(AsArray(rawArray), [rawArray.Count], dtype, device, requires_grad, names);

    public static Tensor tensor(
        IList<float> rawArray, long rows, long columns, ScalarType? dtype = null, Device device = null, bool requires_grad = false,
        string[] names = null) =>
        FromArray(AsArray(rawArray), [rows, columns], dtype, device, requires_grad, names);

    public static Tensor tensor(
        bool[,] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromRectangle(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(
        int[,] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromRectangle(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(
        long[,] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromRectangle(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(
        float[,] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromRectangle(rawArray, dtype, device, requires_grad, names);

    public static Tensor tensor(
        double[,] rawArray, ScalarType? dtype = null, Device device = null, bool requires_grad = false, string[] names = null) =>
        FromRectangle(rawArray, dtype, device, requires_grad, names);

    private static Tensor FromRectangle<T>(T[,] array, ScalarType? dtype, Device device, bool requires_grad, string[] names)
        where T : unmanaged
    {
        fixed (T* data = array)
            return FromMemory(
                data, [array.GetLength(0), array.GetLength(1)], ScalarTypeOf(typeof(T)).Value, dtype, device, requires_grad, names);
    }

    private static Tensor FromArray<T>(
        T[] array, long[] shape, ScalarType? dtype, Device device, bool requires_grad, string[] names = null)
        where T : unmanaged
    {
        var elements = shape.Aggregate(1L, (product, size) => product * size);
        if (elements != array.Length)
            throw new ArgumentException($"{array.Length} elements can't fill a tensor of shape [{string.Join(", ", shape)}]");
        fixed (T* data = array)
            return FromMemory(data, shape, ScalarTypeOf(typeof(T)).Value, dtype, device, requires_grad, names);
    }

    private static Tensor FromMemory(
        void* data, long[] shape, ScalarType elementType, ScalarType? dtype, Device device, bool requires_grad, string[] names)
    {
        IntPtr handle;
        fixed (long* sizes = shape)
            Shim.Check(Shim.ts_tensor_from_memory(data, sizes, shape.Length, (int)elementType, &handle));
        var tensor = Tensor.FromNative(handle);
        var place = Place(device);
        if ((dtype is not null && dtype != elementType) || place.type != DeviceType.CPU)
            tensor = tensor.to(dtype ?? elementType, place, disposeAfter: true);
        return Created(tensor, requires_grad, names);
    }

    private static T[] AsArray<T>(IList<T> list) => list as T[] ?? [.. list];
}
