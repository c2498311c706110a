using System.Runtime.InteropServices;

namespace TorchSharp;

public static unsafe partial class torch
{
    public static partial class autograd
    {
        /// <summary>Accumulates the gradients of <paramref name="tensors"/> into the leaves they were computed from.</summary>
        public static void backward(
            IList<Tensor> tensors, IList<Tensor> grad_tensors = null, bool? retain_graph = null, bool create_graph = false,
            IList<Tensor> inputs = null)
        {
            var outputHandles = Handles(tensors);
            var gradHandles = grad_tensors is null ? null : Handles(grad_tensors, tensors.Count, nameof(grad_tensors));
            var inputHandles = inputs is null ? [] : Handles(inputs);
            int status;
            fixed (IntPtr* outputPointers = outputHandles, gradPointers = gradHandles, inputPointers = inputHandles)
                status = Shim.ts_backward(
                    outputPointers, outputHandles.Length, gradPointers, retain_graph ?? create_graph ? 1 : 0, create_graph ? 1 : 0,
                    inputPointers, inputHandles.Length);
            GC.KeepAlive(tensors);
            GC.KeepAlive(grad_tensors);
            GC.KeepAlive(inputs);
            Check(status);
        }

        public static void backward(
            Tensor tensor, IList<Tensor> grad_tensors = null, bool? retain_graph = null, bool create_graph = false,
            IList<Tensor> inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static void backward(
            Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false, IList<Tensor> inputs = null) =>
            backward([tensor], [grad_tensor], retain_graph, create_graph, inputs);

        /// <summary>The gradients of <paramref name="outputs"/> in <paramref name="inputs"/>, not accumulated anywhere.</summary>
        /// <returns>One per input; with <paramref name="allow_unused"/>, null for one that the outputs don't depend on.</returns>
        public static IList<Tensor> grad(
            IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor> grad_outputs = null, bool retain_graph = false,
            bool create_graph = false, bool allow_unused = false)
        {
            var outputHandles = Handles(outputs);
            var inputHandles = Handles(inputs);
            var gradHandles = grad_outputs is null ? null : Handles(grad_outputs, outputs.Count, nameof(grad_outputs));
            var grads = new IntPtr[inputHandles.Length];
            int status;
            fixed (IntPtr* outputPointers = outputHandles, inputPointers = inputHandles, gradPointers = gradHandles, results = grads)
                status = Shim.ts_grad(
                    outputPointers, outputHandles.Length, inputPointers, inputHandles.Length, gradPointers,
                    retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, results);
            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(grad_outputs);
            Check(status);
            return Array.ConvertAll(grads, Tensor.FromNative);
        }

        private static void Check(int status)
        {
            if (status == 0)
                return;
            var message = Shim.LastError;
            ForeignNode.Rethrow(message);
            throw new ExternalException(message);
        }

        private static IntPtr[] Handles(IList<Tensor> tensors, int expected, string name) =>
            tensors.Count == expected
                ? Handles(tensors)
                : throw new ArgumentException($"{tensors.Count} gradients given for {expected} tensors: give one each", name);

        private static IntPtr[] Handles(IList<Tensor> tensors)
        {
            var handles = new IntPtr[tensors.Count];
            for (var i = 0; i < handles.Length; i++)
                handles[i] = tensors[i] is null ? IntPtr.Zero : tensors[i].Handle;
            return handles;
        }
    }
}
