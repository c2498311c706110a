namespace TorchSharp;

/// <summary>
/// Disposes, at its end, the tensors that were created on its thread while it was the innermost scope. Scopes nest; each thread has
/// its own. Not thread-safe.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope innermost;

    private readonly HashSet<IDisposable> disposables = new(ReferenceEqualityComparer.Instance);
    private DisposeScope outer;
    private bool disposed;

    internal DisposeScope()
    {
        outer = innermost;
        innermost = this;
    }

    internal static DisposeScope Innermost => innermost;

    public int DisposablesCount => disposables.Count;

    public IReadOnlyList<IDisposable> DisposablesView => [.. disposables];

    public bool Contains(IDisposable disposable) => disposables.Contains(disposable);

    public void Attach(IDisposable disposable)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (disposable is torch.Tensor tensor)
        {
            tensor.OwningDisposeScope?.disposables.Remove(tensor);
            tensor.OwningDisposeScope = this;
        }
        disposables.Add(disposable);
    }

    public void Attach(params IDisposable[] disposables) => Attach((IEnumerable<IDisposable>)disposables);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        var attached = disposables.ToList();
        attached.ForEach(Attach);
        return attached;
    }

    /// <summary>Takes the disposable out: whoever has it must dispose it.</summary>
    public T Detach<T>(T disposable)
        where T : IDisposable
    {
        Forget(disposable);
        return disposable;
    }

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables)
            Detach<IDisposable>(disposable);
    }

    /// <summary>Hands the disposable to the scope around this one; from the outermost scope it is detached.</summary>
    public T MoveToOuter<T>(T disposable)
        where T : IDisposable => MoveToOther(outer, disposable);

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOuter((IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(outer, disposables);

    public T MoveToOther<T>(DisposeScope scope, T disposable)
        where T : IDisposable
    {
        Detach<IDisposable>(disposable);
        scope?.Attach(disposable);
        return disposable;
    }

    public void MoveToOther(DisposeScope scope, params IDisposable[] disposables) =>
        MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope scope, IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables)
            MoveToOther<IDisposable>(scope, disposable);
    }

    public void DisposeEverything() => DisposeEverythingBut([]);

    public T DisposeEverythingBut<T>(T keep)
        where T : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[keep]);
        return keep;
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        var kept = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        var doomed = disposables.Where(disposable => !kept.Contains(disposable)).ToArray();
        foreach (var disposable in doomed)
        {
            Detach<IDisposable>(disposable);
            disposable.Dispose();
        }
    }

    /// <summary>Forgets a disposable that has been disposed.</summary>
    public void MarkAsDisposed(IDisposable disposable) => Detach<IDisposable>(disposable);

    public void Dispose()
    {
        if (disposed)
            return;
        DisposeEverything();
        disposed = true;
        Leave();
    }

    private void Forget(IDisposable disposable)
    {
        if (disposables.Remove(disposable) && disposable is torch.Tensor tensor)
            tensor.OwningDisposeScope = null;
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

    public static DisposeScope CurrentDisposeScope => DisposeScope.Innermost;

    /// <summary>The result of <paramref name="expr"/>, and nothing else that it created, survives in the scope around the call.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }
}
