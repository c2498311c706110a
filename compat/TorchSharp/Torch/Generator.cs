namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>A source of random numbers. Operators that are given none draw from the default one of their device.</summary>
    public class Generator : IDisposable
    {
        private IntPtr handle;

        /// <summary>A reference to the CPU's default generator.</summary>
        internal Generator()
        {
            IntPtr reference;
            Shim.Check(Shim.ts_generator_default((int)CPU.type, CPU.index, &reference));
            handle = reference;
        }

        ~Generator() => Release();

        internal IntPtr Handle =>
            handle != IntPtr.Zero ? handle : throw new InvalidOperationException("Generator invalid -- empty handle.");

        public void Dispose()
        {
            Release();
            GC.SuppressFinalize(this);
        }

        private void Release()
        {
            var released = Interlocked.Exchange(ref handle, IntPtr.Zero);
            if (released != IntPtr.Zero)
                Shim.ts_generator_release(released);
        }
    }

    /// <summary>Seeds the CPU's default generator, and no other device's.</summary>
    /// <returns>That generator.</returns>
    public static Generator manual_seed(long seed)
    {
        Shim.Check(Shim.ts_manual_seed((int)DeviceType.CPU, unchecked((ulong)seed)));
        return new Generator();
    }
}
