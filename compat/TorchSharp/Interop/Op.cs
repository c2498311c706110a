using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace TorchSharp;

/// <summary>An ATen operator, looked up in libtorch's dispatcher at its first use and called boxed.</summary>
internal sealed unsafe class Op
{
    private const int ScratchOnStack = 64;

    private readonly string name;

    // Threads that find it at the same time each write one that works; volatile, so that none reads it before what it points to.
    private volatile IntPtr handle;

    /// <param name="name">The operator's name and, after a point, its overload: <c>add.Tensor</c>.</param>
    internal Op(string name) => this.name = name;

    /// <summary>The shim's <c>ts_operator</c>.</summary>
    /// <exception cref="ExternalException">The loaded libtorch has no such operator.</exception>
    internal IntPtr Handle => handle != IntPtr.Zero ? handle : handle = Find();

    /// <summary>Calls an operator that gives one tensor.</summary>
    /// <exception cref="ExternalException">libtorch refused; the message is its own.</exception>
    internal torch.Tensor Call(params ReadOnlySpan<Arg> arguments)
    {
        Value result;
        Invoke(arguments, &result, 1);
        return torch.Tensor.FromNative((IntPtr)result.Pointer);
    }

    /// <summary>Calls an operator that gives two tensors.</summary>
    internal (torch.Tensor, torch.Tensor) CallPair(params ReadOnlySpan<Arg> arguments)
    {
        var results = stackalloc Value[2];
        Invoke(arguments, results, 2);
        return (torch.Tensor.FromNative((IntPtr)results[0].Pointer), torch.Tensor.FromNative((IntPtr)results[1].Pointer));
    }

    /// <summary>Calls an operator that gives a list of tensors.</summary>
    internal torch.Tensor[] CallList(params ReadOnlySpan<Arg> arguments)
    {
        Value result;
        Invoke(arguments, &result, 1);
        var tensors = new torch.Tensor[result.Count];
        for (var i = 0; i < tensors.Length; i++)
            tensors[i] = torch.Tensor.FromNative(((IntPtr*)result.Pointer)[i]);
        Shim.ts_list_release(result.Pointer);
        return tensors;
    }

    [SkipLocalsInit]
    private void Invoke(ReadOnlySpan<Arg> arguments, Value* results, int capacity)
    {
        var op = Handle;
        var scratchWords = 0;
        foreach (ref readonly var argument in arguments)
            scratchWords += argument.ScratchWords;
        var scratch = scratchWords <= ScratchOnStack ? stackalloc long[ScratchOnStack] : new long[scratchWords];
        var values = stackalloc Value[arguments.Length];
        fixed (long* start = scratch)
        {
            var free = start;
            for (var i = 0; i < arguments.Length; i++)
            {
                arguments[i].Write(values + i, free);
                free += arguments[i].ScratchWords;
            }
            int resultCount;
            Shim.Check(Shim.ts_operator_call(op, values, arguments.Length, results, capacity, &resultCount));
        }
        foreach (ref readonly var argument in arguments)
            GC.KeepAlive(argument.Owner);
    }

    private IntPtr Find()
    {
        var point = name.IndexOf('.');
        var baseName = Encoding.UTF8.GetBytes($"aten::{(point < 0 ? name : name[..point])}\0");
        var overload = Encoding.UTF8.GetBytes(point < 0 ? "\0" : $"{name[(point + 1)..]}\0");
        IntPtr found;
        fixed (byte* baseNamePointer = baseName, overloadPointer = overload)
            Shim.Check(Shim.ts_operator_find(baseNamePointer, overloadPointer, &found));
        return found != IntPtr.Zero ? found : throw new ExternalException($"this libtorch has no operator 'aten::{name}'");
    }
}
