namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>No operation of this thread is recorded for gradients until the result is disposed.</summary>
    public static IDisposable no_grad() => new GradMode(false);

    /// <summary>Operations of this thread are recorded for gradients, or not, until the result is disposed.</summary>
    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static void set_num_threads(int num) => Shim.Check(Shim.ts_num_threads_set(num));

    public static int get_num_threads() => Shim.ts_num_threads_get();

    private sealed class GradMode : IDisposable
    {
        private readonly int previous = Shim.ts_grad_mode_get();

        internal GradMode(bool enabled) => Shim.ts_grad_mode_set(enabled ? 1 : 0);

        public void Dispose() => Shim.ts_grad_mode_set(previous);
    }
}
