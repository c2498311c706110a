using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// The C interface of libtorch_cpu, which stays the same from version to version (torch/csrc/stable/c/shim.h and
/// torch/csrc/inductor/aoti_torch/c/shim.h, from 2.10 on). Every native function that this library calls beside TorchSharp's is here.
/// </summary>
/// <remarks>
/// A function that can fail returns 0 for success and else writes what went wrong to the error stream. Tensors cross the border by
/// <see cref="Tensor.Handle"/>, which is an <c>at::Tensor*</c> and is borrowed: the caller keeps the tensor alive.
/// </remarks>
internal static unsafe class LibTorch
{
    /// <summary>The functions that are called here.</summary>
    internal static readonly string[] Functions =
    [
        "aoti_torch_get_data_ptr", "aoti_torch_new_tensor_handle", "torch_call_dispatcher", "torch_get_num_threads", "torch_list_push_back",
        "torch_new_list_reserve_size", "torch_new_string_handle", "torch_parallel_for",
    ];

    /// <summary>The version of libtorch, 2.10, whose rules the calls keep to; newer ones translate.</summary>
    private const ulong version = 0x020A_0000_0000_0000;

    private static readonly IntPtr library = Open();
    private static readonly delegate* unmanaged<IntPtr, void**, int> getDataPointer =
        (delegate* unmanaged<IntPtr, void**, int>)Function("aoti_torch_get_data_ptr");
    private static readonly delegate* unmanaged<IntPtr, IntPtr*, int> newTensorHandle =
        (delegate* unmanaged<IntPtr, IntPtr*, int>)Function("aoti_torch_new_tensor_handle");
    private static readonly delegate* unmanaged<byte*, byte*, ulong*, ulong, int> callDispatcher =
        (delegate* unmanaged<byte*, byte*, ulong*, ulong, int>)Function("torch_call_dispatcher");
    private static readonly delegate* unmanaged<nuint, IntPtr*, int> newList =
        (delegate* unmanaged<nuint, IntPtr*, int>)Function("torch_new_list_reserve_size");
    private static readonly delegate* unmanaged<IntPtr, ulong, int> pushBack =
        (delegate* unmanaged<IntPtr, ulong, int>)Function("torch_list_push_back");
    private static readonly delegate* unmanaged<byte*, nuint, IntPtr*, int> newString =
        (delegate* unmanaged<byte*, nuint, IntPtr*, int>)Function("torch_new_string_handle");
    private static readonly delegate* unmanaged<uint*, int> getThreadCount =
        (delegate* unmanaged<uint*, int>)Function("torch_get_num_threads");
    private static readonly delegate* unmanaged<long, long, long, delegate* unmanaged<long, long, void*, void>, void*, int> parallelFor =
        (delegate* unmanaged<long, long, long, delegate* unmanaged<long, long, void*, void>, void*, int>)Function("torch_parallel_for");

    /// <summary>The tensor's first element: the CPU's memory, whatever the element type, valid while the tensor is.</summary>
    public static void* DataOf(Tensor tensor)
    {
        void* data;
        Check(getDataPointer(tensor.Handle, &data), "aoti_torch_get_data_ptr");
        return data;
    }

    /// <summary>The threads that libtorch computes an operator with.</summary>
    public static int ThreadCount
    {
        get
        {
            uint count;
            Check(getThreadCount(&count), "torch_get_num_threads");
            return (int)count;
        }
    }

    /// <summary>
    /// Calls the body for parts of [begin, end) on libtorch's own threads, on this one too, and returns when all are done. Parts have at
    /// least grain elements. The body must not throw.
    /// </summary>
    public static void ParallelFor(
        long begin, long end, long grain, delegate* unmanaged<long, long, void*, void> body, void* context) =>
        Check(parallelFor(begin, end, grain, body, context), "torch_parallel_for");

    /// <summary>A tensor as an argument of <see cref="CallOperator"/>: a reference of its own, which the call takes.</summary>
    public static ulong NewArgument(Tensor tensor)
    {
        IntPtr handle;
        Check(newTensorHandle(tensor.Handle, &handle), "aoti_torch_new_tensor_handle");
        GC.KeepAlive(tensor);
        return (ulong)handle;
    }

    /// <summary>A list as an argument, which the call takes, of arguments that the list takes.</summary>
    public static ulong NewArgument(IReadOnlyCollection<ulong> values)
    {
        IntPtr list;
        Check(newList((nuint)values.Count, &list), "torch_new_list_reserve_size");
        foreach (var value in values)
            Check(pushBack(list, value), "torch_list_push_back");
        return (ulong)list;
    }

    /// <summary>Text as an argument, which the call takes.</summary>
    public static ulong NewArgument(ReadOnlySpan<byte> text)
    {
        IntPtr handle;
        fixed (byte* bytes = text)
            Check(newString(bytes, (nuint)text.Length, &handle), "torch_new_string_handle");
        return (ulong)handle;
    }

    /// <summary>
    /// An optional argument that is there: the address of a value that the call takes. It releases that by C++'s <c>delete</c>, which is
    /// <c>free</c>; a function that makes one came after 2.10.
    /// </summary>
    public static ulong NewOptionalArgument(ulong value)
    {
        var place = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *place = value;
        return (ulong)place;
    }

    /// <summary>
    /// Calls an operator. It reads as many arguments as its schema has in the loaded libtorch, 64 bits each, and leaves its results, which
    /// are the caller's, in their place. Returns whether it succeeded; it takes the arguments in either case, unless there is no such
    /// operator.
    /// </summary>
    public static bool CallOperator(byte* name, byte* overload, ulong* stack) => callDispatcher(name, overload, stack, version) == 0;

    private static void Check(int status, string function)
    {
        if (status != 0)
            throw new ExternalException($"libtorch's {function} failed; the error stream says why.");
    }

    private static IntPtr Open()
    {
        TorchLibraries.Require();
        return NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
    }

    private static IntPtr Function(string name) => NativeLibrary.TryGetExport(library, name, out var function)
        ? function
        : throw new TorchUnavailableException(
            $"This libtorch has no function {name}. Expected libtorch 2.10 or newer, which TorchSharp 0.107.0 belongs to.", inner: null);
}
