using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch.autograd;

namespace TorchSharp;

/// <summary>
/// The history that a custom function gives to its results: libtorch's graph holds it, calls its backward, and releases it. An
/// exception of the backward waits here while libtorch unwinds, and goes on where <c>backward()</c> was called.
/// </summary>
internal sealed unsafe class ForeignNode
{
    private static readonly ConcurrentDictionary<string, ExceptionDispatchInfo> failures = [];
    private static long failureCount;

    private readonly string name;
    private readonly AutogradContext context;
    private readonly Func<AutogradContext, List<torch.Tensor>, List<torch.Tensor>> backward;
    private readonly int inputCount;
    private readonly int[] tensorInputs;
    private readonly (long[] Shape, torch.ScalarType Type, torch.Device Device)[] outputKinds;

    private ForeignNode(
        string name, AutogradContext context, Func<AutogradContext, List<torch.Tensor>, List<torch.Tensor>> backward, object[] inputs,
        List<torch.Tensor> outputs)
    {
        this.name = name;
        this.context = context;
        this.backward = backward;
        inputCount = inputs.Length;
        tensorInputs = [.. Enumerable.Range(0, inputs.Length).Where(i => inputs[i] is torch.Tensor)];
        outputKinds = [.. outputs.Select(output => (output.shape, output.dtype, output.device))];
    }

    /// <summary>
    /// Gives <paramref name="outputs"/>, computed from <paramref name="inputs"/> without a history, one that calls
    /// <paramref name="backward"/>.
    /// </summary>
    internal static List<torch.Tensor> Attach(
        string name, AutogradContext context, Func<AutogradContext, List<torch.Tensor>, List<torch.Tensor>> backward, object[] inputs,
        List<torch.Tensor> outputs)
    {
        var node = new ForeignNode(name, context, backward, inputs, outputs);
        var inputHandles = Array.ConvertAll(node.tensorInputs, i => ((torch.Tensor)inputs[i]).Handle);
        var outputHandles = outputs.ConvertAll(output => output.Handle).ToArray();
        var differentiable = outputs.ConvertAll(output => context.IsDifferentiable(output) ? 1 : 0).ToArray();
        var results = new IntPtr[outputs.Count];
        // Freed by Released, which the shim calls in any case.
        var self = GCHandle.ToIntPtr(GCHandle.Alloc(node));
        fixed (byte* namePointer = Encoding.UTF8.GetBytes(name + "\0"))
        fixed (IntPtr* next = inputHandles, given = outputHandles, wrapped = results)
        fixed (int* flags = differentiable)
            Shim.Check(Shim.ts_function_attach(
                namePointer, next, inputHandles.Length, given, flags, outputHandles.Length, self, &CallBackward, &Released, wrapped));
        GC.KeepAlive(inputs);
        foreach (var output in outputs)
            if (!inputs.Contains(output))
                output.Dispose();
        return [.. results.Select(torch.Tensor.FromNative)];
    }

    /// <summary>Throws the exception behind <paramref name="message"/>, if it is one that a custom backward threw.</summary>
    internal static void Rethrow(string message)
    {
        if (failures.TryRemove(message, out var failure))
            failure.Throw();
    }

    [UnmanagedCallersOnly]
    private static void Released(IntPtr self)
    {
        var handle = GCHandle.FromIntPtr(self);
        ((ForeignNode)handle.Target).context.Dispose();
        handle.Free();
    }

    [UnmanagedCallersOnly]
    private static int CallBackward(
        IntPtr self, IntPtr* gradOutputs, int outputCount, IntPtr* gradInputs, int inputCount, byte* error, int errorSize)
    {
        var node = (ForeignNode)GCHandle.FromIntPtr(self).Target;
        try
        {
            using var scope = torch.NewDisposeScope();
            var given = new List<torch.Tensor>(outputCount);
            for (var i = 0; i < outputCount; i++)
                given.Add(torch.Tensor.FromNative(gradOutputs[i]));
            node.Backward(given, new Span<IntPtr>(gradInputs, inputCount));
            return 0;
        }
        catch (Exception exception)
        {
            var message = $"{node.name} (custom backward, failure {Interlocked.Increment(ref failureCount)}): {exception.Message}";
            var text = new Span<byte>(error, errorSize - 1);
            Encoding.UTF8.TryGetBytes(message, text, out var length);
            error[length] = 0;
            failures[Encoding.UTF8.GetString(text[..length])] = ExceptionDispatchInfo.Capture(exception);
            return 1;
        }
    }

    private void Backward(List<torch.Tensor> gradOutputs, Span<IntPtr> gradInputs)
    {
        if (context.MaterializeGrads)
            for (var i = 0; i < gradOutputs.Count; i++)
                gradOutputs[i] ??= torch.zeros(outputKinds[i].Shape, outputKinds[i].Type, outputKinds[i].Device);
        var grads = backward(context, gradOutputs);
        if (grads.Count != inputCount)
            throw new InvalidOperationException(
                $"{name}.backward gave {grads.Count} gradients, expected {inputCount}: " +
                "one for each argument of forward, null for those that are no tensors");
        for (var i = 0; i < gradInputs.Length; i++)
            if (grads[tensorInputs[i]] is { } grad)
                gradInputs[i] = AutogradContext.Share(grad).TakeHandle();
    }
}
