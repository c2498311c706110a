using TorchSharp.Modules;

namespace TorchSharp.Modules
{
    /// <summary>Ids [...] to the rows of a table: [..., embedding_dims].</summary>
    public sealed class Embedding : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        private readonly long padding;

        internal Embedding(Parameter weight, long? padding_idx)
            : base(nameof(Embedding))
        {
            this.weight = weight;
            // The operator's own word for "none".
            padding = padding_idx ?? -1;
        }

        /// <summary>[num_embeddings, embedding_dims].</summary>
        public Parameter weight
        {
            get => OwnParameter(nameof(weight));
            set => ConditionallyRegisterParameter(nameof(weight), value);
        }

        public override torch.Tensor forward(torch.Tensor input) => Aten.embedding.Call(weight, input, padding);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <param name="padding_idx">The row that gets no gradient and starts at zero.</param>
            /// <exception cref="NotSupportedException">max_norm, scale_grad_by_freq or sparse is set.</exception>
            public static Embedding Embedding(
                long num_embeddings, long embedding_dims, long? padding_idx = null, double? max_norm = null, double norm_type = 2,
                bool scale_grad_by_freq = false, bool sparse = false, Device device = null, ScalarType? dtype = null)
            {
                if (max_norm is not null || norm_type != 2 || scale_grad_by_freq || sparse)
                    throw new NotSupportedException("Embedding: max_norm, norm_type, scale_grad_by_freq and sparse are not supported");
                var weight = init.normal_(empty([num_embeddings, embedding_dims], dtype, device));
                var row = padding_idx < 0 ? padding_idx + num_embeddings : padding_idx;
                if (row is not null)
                    init.zeros_(weight[row.Value]);
                return new Embedding(new Parameter(weight), row);
            }
        }
    }
}
