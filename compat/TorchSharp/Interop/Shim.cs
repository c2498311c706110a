using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>The functions of <c>native/torch_shim.h</c>, where their contracts stand.</summary>
internal static unsafe class Shim
{
    internal const string Library = "torch_shim";

    static Shim() => ShimLibrary.Register();

    /// <summary>Throws what libtorch said when <paramref name="status"/>, the result of a shim function, reports a failure.</summary>
    /// <exception cref="ExternalException">The native call failed; the message is libtorch's.</exception>
    internal static void Check(int status)
    {
        if (status != 0)
            throw new ExternalException(Marshal.PtrToStringUTF8((IntPtr)ts_last_error()));
    }

    [DllImport(Library)]
    private static extern byte* ts_last_error();

    [DllImport(Library)]
    internal static extern int ts_operator_find(byte* name, byte* overload, IntPtr* op);

    [DllImport(Library)]
    internal static extern int ts_operator_call(
        IntPtr op, Value* arguments, int argumentCount, Value* results, int capacity, int* resultCount);

    [DllImport(Library)]
    internal static extern void ts_tensor_release(IntPtr tensor);

    [DllImport(Library)]
    internal static extern void ts_list_release(void* list);

    [DllImport(Library)]
    internal static extern int ts_tensor_from_memory(void* data, long* sizes, int dim, int dtype, IntPtr* tensor);

    [DllImport(Library)]
    internal static extern int ts_tensor_describe(IntPtr tensor, TensorDescription* description);

    [DllImport(Library)]
    internal static extern int ts_tensor_data(IntPtr tensor, void** data);

    [DllImport(Library)]
    internal static extern int ts_tensor_set_requires_grad(IntPtr tensor, int requiresGrad);

    [DllImport(Library)]
    internal static extern int ts_tensor_grad(IntPtr tensor, IntPtr* grad);

    [DllImport(Library)]
    internal static extern int ts_tensor_set_grad(IntPtr tensor, IntPtr grad);

    [DllImport(Library)]
    internal static extern int ts_backward(
        IntPtr tensor, IntPtr grad, int retainGraph, int createGraph, IntPtr* inputs, int inputCount);

    [DllImport(Library)]
    internal static extern int ts_grad_mode_get();

    [DllImport(Library)]
    internal static extern void ts_grad_mode_set(int enabled);

    [DllImport(Library)]
    internal static extern int ts_manual_seed(int deviceType, ulong seed);

    [DllImport(Library)]
    internal static extern int ts_generator_default(int deviceType, int deviceIndex, IntPtr* generator);

    [DllImport(Library)]
    internal static extern void ts_generator_release(IntPtr generator);

    [DllImport(Library)]
    internal static extern int ts_num_threads_get();

    [DllImport(Library)]
    internal static extern int ts_num_threads_set(int count);

    [DllImport(Library)]
    internal static extern void ts_release_free_memory();

    [DllImport(Library)]
    internal static extern int ts_device_count(int deviceType, int* count);
}
