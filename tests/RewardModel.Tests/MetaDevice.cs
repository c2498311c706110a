using System.Runtime.InteropServices;
using System.Text;
using RewardModel.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Tests;

/// <summary>
/// libtorch's device without memory, on which operators give tensors of the right shape and type, and no numbers can be read. Like a GPU it
/// takes no tensors of another device beside its own. What libtorch implements for it in Python only is added here.
/// </summary>
internal static unsafe class MetaDevice
{
    private const ulong version = 0x020A_0000_0000_0000;

    // libtorch calls them as long as the process lives.
    private static readonly List<Kernel> kernels = [];
    private static readonly List<string> problems = [];

    private static readonly delegate* unmanaged<IntPtr, byte*, int> isDefined;

    static MetaDevice()
    {
        empty(0).Dispose();
        var torch = NativeLibrary.Load("torch_cpu", typeof(Tensor).Assembly, null);
        var newLibrary = (delegate* unmanaged<byte*, byte*, byte*, uint, IntPtr*, int>)NativeLibrary.GetExport(
            torch, "aoti_torch_library_init_impl");
        isDefined = (delegate* unmanaged<IntPtr, byte*, int>)NativeLibrary.GetExport(torch, "aoti_torch_is_defined");
        var implement = (delegate* unmanaged<IntPtr, byte*, IntPtr, ulong, int>)NativeLibrary.GetExport(torch, "torch_library_impl");
        var library = IntPtr.Zero;
        fixed (byte* space = "aten\0"u8, key = "Meta\0"u8)
        {
            IntPtr handle;
            Assert.Equal(0, newLibrary(space, key, space, 0, &handle));
            library = handle;
        }
        Add("index_select", 0, 2);
        Add("log_sigmoid_forward", 0);
        Add("log_sigmoid_backward", 0, 1, 2);
        Add("native_layer_norm", 0, ~2, ~3);
        Add("native_layer_norm_backward", 0, 1, 3, 4, ~5, ~6);
        Add("relu", 0);

        void Add(string name, params int[] tensors)
        {
            var kernel = Implementation($"aten::{name}", tensors);
            kernels.Add(kernel);
            fixed (byte* bytes = Encoding.UTF8.GetBytes(name + '\0'))
                Assert.Equal(0, implement(library, bytes, Marshal.GetFunctionPointerForDelegate(kernel), version));
        }
    }

    private delegate void Kernel(ulong* stack, ulong argumentCount, ulong resultCount);

    public static Device Device { get; } = new(DeviceType.META);

    /// <summary>Runs something and says which operators were given tensors of other devices.</summary>
    public static IReadOnlyList<string> Run(Action action)
    {
        problems.Clear();
        action();
        return [.. problems];
    }

    /// <summary>Shapes and types come from the operator on the CPU, given zeros.</summary>
    /// <param name="name">The operator.</param>
    /// <param name="tensors">Its arguments that are tensors, by number, and the complement of the number if they are optional.</param>
    private static Kernel Implementation(string name, int[] tensors) => (stack, argumentCount, resultCount) =>
    {
        try
        {
            using var scope = NewDisposeScope();
            var arguments = stackalloc ulong[32];
            new Span<ulong>(arguments, 32).Clear();
            new ReadOnlySpan<ulong>(stack, (int)argumentCount).CopyTo(new Span<ulong>(arguments, 32));
            foreach (var number in tensors)
            {
                var place = number >= 0 ? &arguments[number] : (ulong*)arguments[~number];
                if (place == null)
                    continue;
                if (!IsDefined((IntPtr)(*place)))
                    continue;
                var tensor = Tensor.UnsafeCreateTensor((IntPtr)(*place));
                if (tensor.device_type != DeviceType.META)
                    problems.Add($"{name} was given a tensor {tensor.device}");
                *place = LibTorch.NewArgument(zeros(tensor.shape, tensor.dtype));
            }
            fixed (byte* nameBytes = Encoding.UTF8.GetBytes(name + '\0'), overload = "\0"u8)
                Assert.True(LibTorch.CallOperator(nameBytes, overload, arguments), name);
            for (var i = 0; i < (int)resultCount; i++)
            {
                var result = Tensor.UnsafeCreateTensor((IntPtr)arguments[i]);
                // A gradient that was not asked for stays what it is, no tensor.
                stack[i] = LibTorch.NewArgument(IsDefined(result.Handle) ? empty(result.shape, result.dtype, Device) : result);
            }
        }
        catch (Exception exception)
        {
            // libtorch has no way to be told.
            Environment.FailFast(exception.ToString());
        }
    };

    private static bool IsDefined(IntPtr handle)
    {
        byte answer;
        Assert.Equal(0, isDefined(handle, &answer));
        return answer != 0;
    }
}
