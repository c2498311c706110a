namespace TorchSharp;

public static unsafe partial class torch
{
    /// <summary>A source of random numbers. Operators that are given none draw from the default one of their device.</summary>
    public class Generator : IDisposable
    {
        private IntPtr handle;

        /// <summary>A generator of its own, on the CPU.</summary>
        /// <exception cref="NotSupportedException">The device is not the CPU.</exception>
        public Generator(ulong seed = 0, Device device = null)
        {
            if (device is not null && device.type != DeviceType.CPU)
                throw new NotSupportedException($"a generator of one's own is made on the CPU only, not on {device}");
            IntPtr created;
            Shim.Check(Shim.ts_generator_new(seed, &created));
            handle = created;
            this.device = CPU;
        }

        private Generator(Device device)
        {
            IntPtr reference;
            Shim.Check(Shim.ts_generator_default((int)device.type, device.index, &reference));
            handle = reference;
            this.device = device;
        }

        ~Generator() => Dispose(false);

        /// <summary>The CPU's default generator.</summary>
        public static Generator Default => new(CPU);

        public IntPtr Handle => handle != IntPtr.Zero ? handle : throw new InvalidOperationException("Generator invalid -- empty handle.");

        public Device device { get; }

        public Generator manual_seed(long seed)
        {
            Shim.Check(Shim.ts_generator_set_seed(Handle, unchecked((ulong)seed)));
            return this;
        }

        /// <summary>Draws a new seed, sets it and returns it.</summary>
        public long seed()
        {
            ulong seed;
            Shim.Check(Shim.ts_generator_reseed(Handle, &seed));
            return unchecked((long)seed);
        }

        public long initial_seed()
        {
            ulong seed;
            Shim.Check(Shim.ts_generator_get_seed(Handle, &seed));
            return unchecked((long)seed);
        }

        /// <summary>The state as bytes, on the CPU.</summary>
        public Tensor get_state()
        {
            IntPtr state;
            Shim.Check(Shim.ts_generator_get_state(Handle, &state));
            return Tensor.FromNative(state);
        }

        public void set_state(Tensor value)
        {
            Shim.Check(Shim.ts_generator_set_state(Handle, value.Handle));
            GC.KeepAlive(value);
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            var released = Interlocked.Exchange(ref handle, IntPtr.Zero);
            if (released != IntPtr.Zero)
                Shim.ts_generator_release(released);
        }
    }

    /// <summary>Seeds the default generators of all devices.</summary>
    public static Generator manual_seed(long seed)
    {
        Shim.Check(Shim.ts_manual_seed(unchecked((ulong)seed)));
        return Generator.Default;
    }

    /// <summary>The state of the CPU's default generator.</summary>
    public static Tensor get_rng_state()
    {
        using var generator = Generator.Default;
        return generator.get_state();
    }

    public static void set_rng_state(Tensor new_state)
    {
        using var generator = Generator.Default;
        generator.set_state(new_state);
    }
}
