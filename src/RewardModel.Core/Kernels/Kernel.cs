using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>An operation with a gradient of its own, for autograd.</summary>
/// <typeparam name="TSelf">The operation.</typeparam>
/// <typeparam name="TSettings">What it is told beside tensors.</typeparam>
/// <remarks>
/// TorchSharp wraps what it hands to a backward function, and takes from it, in tensors of the dispose scope that the backward pass runs in:
/// without the care that is taken here they would live until the whole pass has ended. What a forward pass saves, too, TorchSharp would
/// keep until the graph is gone; here it is released as soon as it was used, so a graph can be gone back through once only, and with the
/// graph where nobody goes back. And an exception
/// must not leave a backward function, where native code has called it: it is kept, and thrown by <see cref="KernelErrors.Throw"/>.
/// </remarks>
internal abstract class Kernel<TSelf, TSettings> : autograd.MultiTensorFunction<TSelf>
    where TSelf : Kernel<TSelf, TSettings>, new()
    where TSettings : notnull
{
    private const string stateKey = "state";

    private static readonly TSelf self = new();

    public override string Name => typeof(TSelf).Name;

    /// <summary>The only result, recorded for the backward pass where any input asks for it.</summary>
    /// <param name="settings">What it is told beside tensors.</param>
    /// <param name="inputs">Tensors, some of which may be absent.</param>
    public static Tensor Apply(TSettings settings, params Tensor?[] inputs) => ApplyAll(settings, inputs)[0];

    /// <summary>All results, likewise.</summary>
    /// <inheritdoc cref="Apply"/>
    public static IReadOnlyList<Tensor> ApplyAll(TSettings settings, params Tensor?[] inputs)
    {
        KernelErrors.Throw();
        return is_grad_enabled() && inputs.Any(input => input is { requires_grad: true })
            ? apply([settings, .. inputs])
            : self.Compute(settings, inputs, saved: null);
    }

    /// <summary>Computes the results. One that is an input is a new tensor over the same memory.</summary>
    /// <param name="settings">What it is told beside tensors.</param>
    /// <param name="inputs">As given.</param>
    /// <param name="saved">Where what the backward pass needs goes; null where there will be none.</param>
    protected abstract Tensor[] Compute(TSettings settings, Tensor?[] inputs, List<Tensor?>? saved);

    /// <summary>Computes the gradients of the inputs: null where there is none.</summary>
    /// <param name="settings">As for the result.</param>
    /// <param name="saved">What that saved.</param>
    /// <param name="gradients">Of the results; null of one that nothing was computed from. They belong to the caller.</param>
    /// <param name="needed">Which inputs ask for a gradient.</param>
    protected abstract Tensor?[] Gradients(TSettings settings, IReadOnlyList<Tensor?> saved, Tensor?[] gradients, bool[] needed);

    public sealed override List<Tensor> forward(autograd.AutogradContext context, params object[] arguments)
    {
        var settings = (TSettings)arguments[0];
        Tensor?[] inputs = [.. arguments.Skip(1).Cast<Tensor?>()];
        var saved = new List<Tensor?>();
        var results = Compute(settings, inputs, saved);
        context.set_materialize_grads(false);
        var state = new State(
            settings, [.. inputs.Select(input => input is { requires_grad: true })],
            [.. saved.Select(tensor => tensor?.detach().DetachFromDisposeScope())]);
        context.save_data(stateKey, state);
        context.save_for_backward([state.Anchor()]);
        return [.. results];
    }

    public sealed override List<Tensor> backward(autograd.AutogradContext context, List<Tensor> gradients)
    {
        var state = (State)context.get_data(stateKey);
        var results = new List<Tensor?> { null };
        try
        {
            KernelErrors.DisposeResults();
            using var scope = NewDisposeScope();
            Tensor?[] ofResults = [.. gradients.Select(gradient => gradient.IsInvalid ? null : gradient)];
            var ofInputs = Gradients(state.Settings, state.Saved, ofResults, state.Needed);
            results.AddRange(ofInputs.Select(result => result?.DetachFromDisposeScope()));
            KernelErrors.Keep(ofInputs);
        }
        catch (Exception exception)
        {
            KernelErrors.Keep(exception);
            results = [null, .. state.Needed.Select(_ => (Tensor?)null)];
        }
        state.Release();
        gradients.ForEach(gradient => gradient.Dispose());
        return results!;
    }

    /// <param name="settings">What the operation is told beside tensors.</param>
    /// <param name="needed">Which inputs ask for a gradient.</param>
    /// <param name="saved">What the backward pass needs.</param>
    private sealed class State(TSettings settings, bool[] needed, Tensor?[] saved) : SavedTensors(saved)
    {
        public TSettings Settings => settings;

        public bool[] Needed => needed;
    }
}

/// <summary>Tensors that a graph keeps for its backward pass, and that go with it where there is none.</summary>
internal abstract unsafe class SavedTensors(Tensor?[] saved)
{
    public IReadOnlyList<Tensor?> Saved => saved;

    /// <summary>Releases the tensors; once more does nothing.</summary>
    public void Release()
    {
        foreach (var tensor in saved)
            tensor?.Dispose();
    }

    /// <summary>A tensor without numbers for autograd to keep: when autograd lets go of it, the others are released.</summary>
    public Tensor Anchor() => LibTorchSharp.TensorOver((void*)GCHandle.ToIntPtr(GCHandle.Alloc(this)), [0], ScalarType.Float32, &LetGo);

    [UnmanagedCallersOnly]
    private static void LetGo(void* handle)
    {
        var owner = GCHandle.FromIntPtr((IntPtr)handle);
        ((SavedTensors)owner.Target!).Release();
        owner.Free();
    }
}

/// <summary>What the kernels' backward functions leave behind.</summary>
internal static class KernelErrors
{
    // Of any thread: a GPU's part of a backward pass has a thread of its own.
    private static ExceptionDispatchInfo? exception;

    // Autograd has its own references to them as soon as the function that made them has returned.
    [ThreadStatic]
    private static Tensor?[]? results;

    /// <summary>
    /// After a backward pass: throws what was thrown in it. Its gradients are incomplete then. Every kernel begins with this as well, so
    /// that no failure is missed.
    /// </summary>
    public static void Throw()
    {
        DisposeResults();
        Interlocked.Exchange(ref exception, null)?.Throw();
    }

    public static void Keep(Exception caught) =>
        Interlocked.CompareExchange(ref exception, ExceptionDispatchInfo.Capture(caught), null);

    public static void Keep(Tensor?[] gradients) => results = gradients;

    public static void DisposeResults()
    {
        foreach (var tensor in results ?? [])
            tensor?.Dispose();
        results = null;
    }
}
