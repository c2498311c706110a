using TorchSharp.Modules;

namespace TorchSharp.Modules
{
    /// <summary>[..., in_features] to [..., out_features]: input times the transposed weight, plus the bias.</summary>
    public sealed class Linear : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        internal Linear(Parameter weight, Parameter bias)
            : base(nameof(Linear))
        {
            this.weight = weight;
            this.bias = bias;
        }

        /// <summary>[out_features, in_features].</summary>
        public Parameter weight
        {
            get => OwnParameter(nameof(weight));
            set => ConditionallyRegisterParameter(nameof(weight), value);
        }

        /// <summary>[out_features], or null.</summary>
        public Parameter bias
        {
            get => OwnParameter(nameof(bias));
            set => ConditionallyRegisterParameter(nameof(bias), value);
        }

        public override torch.Tensor forward(torch.Tensor tensor) => torch.nn.functional.linear(tensor, weight, bias);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Linear Linear(
                long inputSize, long outputSize, bool hasBias = true, Device device = null, ScalarType? dtype = null)
            {
                // PyTorch's initialisation: uniform within 1 / sqrt(inputSize).
                var bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
                var weight = init.uniform_(empty([outputSize, inputSize], dtype, device), -bound, bound);
                var bias = hasBias ? init.uniform_(empty([outputSize], dtype, device), -bound, bound) : null;
                return Linear(new Parameter(weight), bias is null ? null : new Parameter(bias));
            }

            public static Linear Linear(Parameter weight, Parameter bias = null) => new(weight, bias);
        }
    }
}
