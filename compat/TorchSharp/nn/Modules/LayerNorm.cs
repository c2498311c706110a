using TorchSharp.Modules;

namespace TorchSharp.Modules
{
    /// <summary>Mean 0 and variance 1 over the last dimensions, then times weight, plus bias.</summary>
    public sealed class LayerNorm : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        private readonly long[] normalizedShape;
        private readonly double eps;

        internal LayerNorm(long[] normalizedShape, double eps, Parameter weight, Parameter bias)
            : base(nameof(LayerNorm))
        {
            this.normalizedShape = normalizedShape;
            this.eps = eps;
            this.weight = weight;
            this.bias = bias;
        }

        /// <summary>The normalised shape, or null.</summary>
        public Parameter weight
        {
            get => OwnParameter(nameof(weight));
            set => ConditionallyRegisterParameter(nameof(weight), value);
        }

        /// <summary>The normalised shape, or null.</summary>
        public Parameter bias
        {
            get => OwnParameter(nameof(bias));
            set => ConditionallyRegisterParameter(nameof(bias), value);
        }

        public override torch.Tensor forward(torch.Tensor tensor) =>
            torch.nn.functional.layer_norm(tensor, normalizedShape, weight, bias, eps);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static LayerNorm LayerNorm(
                long normalized_shape, double eps = 1e-05, bool elementwise_affine = true, bool bias = true, Device device = null,
                ScalarType? dtype = null) =>
                LayerNorm([normalized_shape], eps, elementwise_affine, bias, device, dtype);

            public static LayerNorm LayerNorm(
                long[] normalized_shape, double eps = 1e-05, bool elementwise_affine = true, bool bias = true, Device device = null,
                ScalarType? dtype = null) =>
                new(normalized_shape, eps,
                    elementwise_affine ? new Parameter(ones(normalized_shape, dtype, device)) : null,
                    elementwise_affine && bias ? new Parameter(zeros(normalized_shape, dtype, device)) : null);
        }
    }
}
