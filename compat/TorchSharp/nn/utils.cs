using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static class utils
        {
            /// <summary>Scales the gradients in place so that their common norm is at most <paramref name="max_norm"/>.</summary>
            /// <returns>The norm before.</returns>
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2)
            {
                using var noGrad = no_grad();
                using var scope = NewDisposeScope();
                var grads = tensors.Select(parameter => parameter.grad).Where(grad => grad is not null).ToArray();
                if (grads.Length == 0)
                    return 0;
                var norms = Array.ConvertAll(grads, grad => Aten.norm_ScalarOpt_dtype.Call(grad, norm_type, ScalarType.Float32));
                var total = Aten.norm_Scalar.Call(stack(norms), norm_type).item<float>();
                // PyTorch's formula, with its constant against a division by zero.
                var scale = max_norm / (total + 1e-6);
                if (scale < 1)
                    foreach (var grad in grads)
                        grad.mul_(scale);
                return total;
            }
        }
    }
}
