using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>
/// The part of TorchSharp's API that this repository uses. Names, parameters and meaning are those of TorchSharp 0.106, where they
/// are documented; only what differs, or is easily mistaken, is said here.
/// </summary>
public static partial class torch
{
    /// <summary>
    /// An n-dimensional array in native memory. The tensor belongs to the innermost <see cref="DisposeScope"/> of the thread that
    /// created it; without one it must be disposed, or the garbage collector frees it in its own time.
    /// </summary>
    /// <remarks>
    /// Every member throws <see cref="InvalidOperationException"/> on a disposed tensor, and <see cref="ExternalException"/> with
    /// libtorch's own words where libtorch refuses.
    /// </remarks>
    public partial class Tensor : IDisposable
    {
        private static long totalCount;

        private IntPtr handle;

        private protected Tensor(IntPtr handle, DisposeScope scope)
        {
            this.handle = handle;
            Interlocked.Increment(ref totalCount);
            scope?.Attach(this);
        }

        ~Tensor() => Release();

        /// <summary>How many tensors live in this process.</summary>
        public static long TotalCount => Interlocked.Read(ref totalCount);

        /// <summary>The native <c>at::Tensor*</c>.</summary>
        public IntPtr Handle => handle != IntPtr.Zero ? handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        internal bool IsInvalid => handle == IntPtr.Zero;

        internal DisposeScope OwningDisposeScope { get; set; }

        /// <summary>Wraps a tensor that the shim gave; null for an undefined one.</summary>
        internal static Tensor FromNative(IntPtr handle) =>
            handle == IntPtr.Zero ? null : new Tensor(handle, DisposeScope.Innermost);

        /// <summary>Wraps a native <c>at::Tensor*</c>, which is the new tensor's own from then on.</summary>
        public static Tensor UnsafeCreateTensor(IntPtr handle) => FromNative(handle);

        public void Dispose()
        {
            OwningDisposeScope?.Detach(this);
            Release();
            GC.SuppressFinalize(this);
        }

        private void Release()
        {
            var released = Interlocked.Exchange(ref handle, IntPtr.Zero);
            if (released == IntPtr.Zero)
                return;
            Interlocked.Decrement(ref totalCount);
            Shim.ts_tensor_release(released);
        }

        /// <summary>Gives the native tensor away: this one is invalid from then on.</summary>
        internal IntPtr TakeHandle()
        {
            var taken = Handle;
            handle = IntPtr.Zero;
            Interlocked.Decrement(ref totalCount);
            OwningDisposeScope?.Detach(this);
            GC.SuppressFinalize(this);
            return taken;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        // == compares element by element, so equality of objects stays identity.
        public override bool Equals(object obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

        /// <summary>The shape, element type and device, not the elements: <c>[2x3], type = Float32, device = cpu</c>.</summary>
        public override string ToString() =>
            IsInvalid ? "(disposed tensor)" : $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";
    }
}
