namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>No operation of this thread is recorded for gradients until the result is disposed.</summary>
    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    public static bool is_grad_enabled() => Shim.ts_grad_mode_get() != 0;

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static void set_num_threads(int num) => Shim.Check(Shim.ts_num_threads_set(num));

    public static int get_num_threads() => Shim.ts_num_threads_get();

    public static bool cuda_is_available() => cuda.is_available();

    private sealed class GradMode : IDisposable
    {
        private readonly int previous = Shim.ts_grad_mode_get();

        internal GradMode(bool enabled) => Shim.ts_grad_mode_set(enabled ? 1 : 0);

        public void Dispose() => Shim.ts_grad_mode_set(previous);
    }

    private sealed class InferenceMode : IDisposable
    {
        private IntPtr guard;

        internal InferenceMode(bool enabled)
        {
            IntPtr entered;
            Shim.Check(Shim.ts_inference_mode_enter(enabled ? 1 : 0, &entered));
            guard = entered;
        }

        public void Dispose()
        {
            if (guard != IntPtr.Zero)
                Shim.ts_inference_mode_exit(guard);
            guard = IntPtr.Zero;
        }
    }
}
