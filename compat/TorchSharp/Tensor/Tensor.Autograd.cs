namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        /// <summary>The accumulated gradient: a new wrapper at each call, or null where there is none.</summary>
        public Tensor grad
        {
            get
            {
                IntPtr grad;
                Shim.Check(Shim.ts_tensor_grad(Handle, &grad));
                GC.KeepAlive(this);
                return FromNative(grad);
            }

            set
            {
                Shim.Check(Shim.ts_tensor_set_grad(Handle, value is null ? IntPtr.Zero : value.Handle));
                GC.KeepAlive(this);
                GC.KeepAlive(value);
            }
        }

        public bool requires_grad
        {
            get => Describe().RequiresGrad != 0;
            set => requires_grad_(value);
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            Shim.Check(Shim.ts_tensor_set_requires_grad(Handle, requires_grad ? 1 : 0));
            GC.KeepAlive(this);
            return this;
        }

        public void backward() => backward(grad_tensors: null);

        /// <param name="grad_tensors">The gradient of this tensor; by default 1, which needs a tensor of one element.</param>
        /// <param name="inputs">The tensors that get gradients; by default all leaves that this one was computed from.</param>
        /// <exception cref="ArgumentException"><paramref name="grad_tensors"/> has not exactly one tensor.</exception>
        public void backward(
            IList<Tensor> grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor> inputs = null)
        {
            if (grad_tensors is not null && grad_tensors.Count != 1)
                throw new ArgumentException($"{grad_tensors.Count} gradients given for 1 tensor: give one", nameof(grad_tensors));
            var grad = grad_tensors?[0];
            var inputHandles = inputs is null ? [] : inputs.Select(input => input.Handle).ToArray();
            fixed (IntPtr* inputPointers = inputHandles)
                Shim.Check(Shim.ts_backward(
                    Handle, grad is null ? IntPtr.Zero : grad.Handle, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0,
                    inputPointers, inputHandles.Length));
            GC.KeepAlive(this);
            GC.KeepAlive(grad);
            GC.KeepAlive(inputs);
        }

        public Tensor detach() => Aten.detach.Call(this);
    }
}
