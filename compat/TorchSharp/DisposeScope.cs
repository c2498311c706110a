namespace TorchSharp;

/// <summary>
/// Disposes, at its end, the tensors that were created on its thread while it was the innermost scope. Scopes nest; each thread has
/// its own. Not thread-safe.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope innermost;

    private readonly HashSet<torch.Tensor> tensors = new(ReferenceEqualityComparer.Instance);
    private DisposeScope outer;
    private bool disposed;

    internal DisposeScope()
    {
        outer = innermost;
        innermost = this;
    }

    internal static DisposeScope Innermost => innermost;

    public int DisposablesCount => tensors.Count;

    public void Dispose()
    {
        if (disposed)
            return;
        foreach (var tensor in tensors.ToArray())
            tensor.Dispose();
        disposed = true;
        Leave();
    }

    internal void Attach(torch.Tensor tensor)
    {
        tensors.Add(tensor);
        tensor.OwningDisposeScope = this;
    }

    /// <summary>Takes the tensor out: whoever has it must dispose it.</summary>
    internal void Detach(torch.Tensor tensor)
    {
        tensors.Remove(tensor);
        tensor.OwningDisposeScope = null;
    }

    /// <summary>Hands the tensor to the scope around this one; from the outermost scope it is detached.</summary>
    internal void MoveToOuter(torch.Tensor tensor)
    {
        Detach(tensor);
        outer?.Attach(tensor);
    }

    // The scope is the innermost one, unless scopes are closed out of order: then those within it get its outer scope.
    private void Leave()
    {
        if (innermost == this)
        {
            innermost = outer;
            return;
        }
        for (var scope = innermost; scope is not null; scope = scope.outer)
            if (scope.outer == this)
                scope.outer = outer;
    }
}

public static partial class torch
{
    public static DisposeScope NewDisposeScope() => new();

    /// <summary>The result of <paramref name="expr"/>, and nothing else that it created, survives in the scope around the call.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }
}
